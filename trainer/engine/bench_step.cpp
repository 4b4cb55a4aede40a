#include "trainer/engine/bench_step.h"

#include <ATen/Parallel.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "trainer/engine/check_world.h"
#include "trainer/engine/options_from_config.h"
#include "trainer/engine/run_state.h"
#include "trainer/engine/teacher.h"
#include "trainer/engine/training_step.h"
#include "trainer/parallel/device_communicator.h"
#include "trainer/parallel/shard_plan.h"
#include "trainer/report/progress.h"

namespace casvit::trainer {
namespace {

constexpr int kClasses = 1000;  ///< where the configuration says none

/// The same shard over and over: noise, and for each picture a class.
dataio::Batch made_up_batch(const Config& config, int classes, const at::Device& device) {
  dataio::Batch batch;
  batch.image_size = config.model.image_size;
  const auto samples = static_cast<std::size_t>(config.batch.shard_size);
  const auto side = static_cast<std::size_t>(batch.image_size);
  const std::size_t values = samples * side * side * 3;
  const dataio::BufferAllocator memory = batch_memory(device);
  if (memory.allocate) {
    batch.images =
        std::shared_ptr<float[]>(static_cast<float*>(memory.allocate(values * sizeof(float))),
                                 [release = memory.release](float* buffer) { release(buffer); });
  } else {
    batch.images = std::make_shared<float[]>(values);
  }
  std::minstd_rand random(1);
  std::generate_n(batch.images.get(), values, [&] {
    return static_cast<float>(random()) / static_cast<float>(std::minstd_rand::max()) - 0.5F;
  });
  batch.labels.resize(samples);
  batch.targets.resize(samples * static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < samples; ++i) {
    const std::size_t label = i % static_cast<std::size_t>(classes);
    batch.labels[i] = static_cast<std::int32_t>(label);
    batch.targets[i * static_cast<std::size_t>(classes) + label] = 1;
  }
  return batch;
}

/// Hands the shards of one step after another to a rank.
class Shards {
 public:
  Shards(dataio::Batch batch, const TrainingStepOptions& options, int rank)
      : batch_(std::move(batch)),
        per_rank_(options.shards_per_rank),
        first_(rank * options.shards_per_rank) {}

  std::optional<dataio::Batch> next() {
    dataio::Batch batch = batch_;
    batch.plan.step = static_cast<std::uint64_t>(count_ / per_rank_);
    batch.plan.shard = static_cast<std::uint64_t>(first_ + count_ % per_rank_);
    ++count_;
    return batch;
  }

 private:
  dataio::Batch batch_;
  std::int64_t per_rank_;
  std::int64_t first_;
  std::int64_t count_ = 0;
};

std::int64_t peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{1024} * usage.ru_maxrss;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double exposed_share(const std::vector<RankTimes>& ranks) {
  double exposed = 0;
  double total = 0;
  for (const RankTimes& rank : ranks) {
    exposed += rank.sum.communication + rank.idle;
    total += rank.sum.total() + rank.idle;
  }
  return exposed / total;
}

}  // namespace

StepBench bench_step(const Config& config, const StepBenchOptions& options, launch::World& world) {
  check_world(config, world);
  refuse_unequal_shards(config.batch.shards, world.size());
  StepBench bench;
  bench.threads = world.plan_threads(threads_wanted(config)).compute;
  at::set_num_threads(bench.threads);
  bench.compute = choose_compute(config.device, config.precision.amp, world.local_rank());
  const auto device_communicator = make_device_communicator(world, bench.compute.device);
  launch::Communicator& communicator =
      device_communicator ? *device_communicator : world.communicator();

  const RcvitOptions model =
      model_of(config, config.model.num_classes > 0 ? config.model.num_classes : kClasses);
  RunState state(model, optimizer_of(config), rules_of(config), config.ema.decay > 0,
                 bench.compute.device);
  state.scaler.enabled = bench.compute.loss_scaling();
  state.model.initialise(config.train.seed);
  TrainingStepOptions step_options = step_options_of(config, world.size());
  Teacher teacher;
  if (!config.distillation.teacher.empty()) {
    teacher = load_teacher(config.distillation.teacher, model.num_classes, bench.compute.device);
    step_options.teacher = teacher.model.get();
  }
  TrainingStep step(state, communicator, bench.compute, step_options);
  Shards shards(made_up_batch(config, model.num_classes, bench.compute.device), step_options,
                world.rank());
  bench.images_a_step = std::int64_t{config.batch.shards} * config.batch.shard_size;
  bench.parameters = state.model.state().parameter_count();

  std::vector<double> seconds;
  std::vector<StepTimes> times;
  std::optional<Progress> progress;
  if (world.rank() == 0) {
    progress.emplace("timing steps", options.steps);
  }
  for (int i = 0; i < options.warmup || step.bucket_bytes() == 0 ||
                  static_cast<int>(times.size()) < options.steps;
       ++i) {
    const bool counts = i >= options.warmup && step.bucket_bytes() != 0;
    const auto start = std::chrono::steady_clock::now();
    const launch::Watchdog::Watch watch = world.watch("step " + std::to_string(i + 1));
    const StepResult result =
        step.run([&] { return shards.next(); },
                 {config.optimizer.learning_rate, config.optimizer.weight_decay, 1}, false);
    if (counts) {
      seconds.push_back(
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      times.push_back(result.times);
    }
    if (progress) {
      progress->update(static_cast<std::int64_t>(times.size()), counts ? "" : "warming up");
    }
  }
  bench.seconds_a_step = median(seconds);
  bench.images_per_second = static_cast<double>(bench.images_a_step) / bench.seconds_a_step;
  bench.bucket_bytes = step.bucket_bytes();
  bench.ranks = gather_times(world.communicator(), times);
  bench.exposed_share = exposed_share(bench.ranks);
  const std::int64_t peak = peak_resident_bytes();
  bench.peak_bytes.resize(static_cast<std::size_t>(world.size()));
  world.communicator()
      .all_gather(&peak, bench.peak_bytes.data(), 1, launch::ElementType::kInt64)
      .wait();
  return bench;
}

}  // namespace casvit::trainer
