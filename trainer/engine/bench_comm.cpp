#include "trainer/engine/bench_comm.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "trainer/engine/median.h"
#include "trainer/parallel/device_communicator.h"
#include "trainer/parallel/element_of.h"
#include "trainer/report/progress.h"

namespace casvit::trainer {
namespace {

using Clock = std::chrono::steady_clock;

/// Of all threads of this process.
double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// What ranks put in: small integers, whose sums every type holds exactly.
class Pattern {
 public:
  explicit Pattern(int ranks)
      // Odd, so that it divides no piece or segment: values out of place are noticed.
      : period_(std::max((kLargestSum / ranks) | 1, 3)), ranks_(ranks) {}

  double value(int rank, std::int64_t index) const {
    if (rank >= kLargestSum / 2) {
      return 0;
    }
    return static_cast<double>((index + 5 * static_cast<std::int64_t>(rank)) % period_);
  }
  double sum(std::int64_t index) const {
    double sum = 0;
    for (int rank = 0; rank < ranks_; ++rank) {
      sum += value(rank, index);
    }
    return sum;
  }
  /// `values(i)` for i from `begin`, `count` of them. @param values has the pattern's period
  template <typename Values>
  at::Tensor tensor(const Values& values, std::int64_t begin, std::int64_t count,
                    const at::TensorOptions& options) const {
    at::Tensor period = at::empty({period_}, at::kDouble);
    for (std::int64_t i = 0; i < period_; ++i) {
      period[i] = values(begin + i);
    }
    return period.to(options.dtype())
        .to(options.device())
        .repeat({count / period_ + 1})
        .narrow(0, 0, count)
        .contiguous();
  }

 private:
  static constexpr int kLargestSum = 240;  // bfloat16 holds integers up to 256, uint8 up to 255

  const std::int64_t period_;
  const int ranks_;
};

/// One collective of one size, with its buffers.
class Subject {
 public:
  Subject(const BenchCommOptions& options, std::uint64_t bytes, launch::Communicator& communicator)
      : collective_(options.collective),
        communicator_(communicator),
        tensor_options_(at::TensorOptions().dtype(options.type).device(options.device)),
        type_(element_of(options.type)),
        pattern_(communicator.size()) {
    const auto ranks = static_cast<std::uint64_t>(communicator.size());
    const bool dealt = collective_ == BenchCollective::kReduceScatter ||
                       collective_ == BenchCollective::kAllGather;
    const std::uint64_t parts = dealt ? ranks : 1;
    const std::uint64_t width = launch::element_bytes(type_);
    part_ = static_cast<std::int64_t>(std::max<std::uint64_t>(bytes / width / parts, 1));
    whole_ = part_ * static_cast<std::int64_t>(parts);
    fill();
  }

  std::int64_t count() const { return whole_; }

  /// Puts in what this rank contributes.
  void fill() {
    const int rank = communicator_.rank();
    const auto mine = [&](std::int64_t index) { return pattern_.value(rank, index); };
    if (collective_ == BenchCollective::kAllGather) {
      input_ = pattern_.tensor(mine, 0, part_, tensor_options_);
      output_ = at::zeros({whole_}, tensor_options_);
      return;
    }
    input_ = pattern_.tensor(mine, 0, whole_, tensor_options_);
    if (collective_ == BenchCollective::kReduceScatter) {
      output_ = at::zeros({part_}, tensor_options_);
    }
  }

  /// Issues it and blocks until it is done.
  void run() {
    const auto count = static_cast<std::size_t>(part_);
    switch (collective_) {
      case BenchCollective::kAllReduce:
        communicator_.all_reduce(input_.mutable_data_ptr(), count, type_, launch::ReduceOp::kSum)
            .wait();
        break;
      case BenchCollective::kReduceScatter:
        communicator_
            .reduce_scatter(input_.const_data_ptr(), output_.mutable_data_ptr(), count, type_,
                            launch::ReduceOp::kSum)
            .wait();
        break;
      case BenchCollective::kAllGather:
        communicator_.all_gather(input_.const_data_ptr(), output_.mutable_data_ptr(), count, type_)
            .wait();
        break;
      case BenchCollective::kBroadcast:
        communicator_.broadcast(input_.mutable_data_ptr(), count, type_, /*root=*/0).wait();
        break;
    }
    communicator_.synchronize();
  }

  /// Elements that are not what they should be after one run of what `fill` put in.
  std::int64_t wrong() const {
    const auto sum = [&](std::int64_t index) { return pattern_.sum(index); };
    switch (collective_) {
      case BenchCollective::kAllReduce:
        return differing(input_, pattern_.tensor(sum, 0, whole_, tensor_options_));
      case BenchCollective::kReduceScatter:
        return differing(
            output_, pattern_.tensor(sum, part_ * communicator_.rank(), part_, tensor_options_));
      case BenchCollective::kAllGather: {
        std::int64_t wrong = 0;
        for (int rank = 0; rank < communicator_.size(); ++rank) {
          const auto theirs = [&](std::int64_t index) { return pattern_.value(rank, index); };
          wrong += differing(output_.narrow(0, part_ * rank, part_),
                             pattern_.tensor(theirs, 0, part_, tensor_options_));
        }
        return wrong;
      }
      case BenchCollective::kBroadcast: {
        const auto root = [&](std::int64_t index) { return pattern_.value(0, index); };
        return differing(input_, pattern_.tensor(root, 0, whole_, tensor_options_));
      }
    }
    return 0;
  }

 private:
  static std::int64_t differing(const at::Tensor& found, const at::Tensor& expected) {
    return found.ne(expected).sum().item<std::int64_t>();
  }

  const BenchCollective collective_;
  launch::Communicator& communicator_;
  const at::TensorOptions tensor_options_;
  const launch::ElementType type_;
  const Pattern pattern_;
  std::int64_t part_ = 0;   ///< elements a rank, as the collective counts them
  std::int64_t whole_ = 0;  ///< elements of the whole buffer
  at::Tensor input_;
  at::Tensor output_;
};

CommFigures measure(const BenchCommOptions& options, std::uint64_t bytes,
                    launch::Communicator& communicator, launch::World& world) {
  Subject subject(options, bytes, communicator);
  subject.run();
  auto wrong = subject.wrong();
  for (int i = 0; i < options.warmup; ++i) {
    subject.run();
  }

  std::vector<double> seconds;
  double cpu = 0;
  for (int i = 0; i < options.repeats; ++i) {
    communicator.barrier();
    const double cpu_before = cpu_seconds();
    const auto start = Clock::now();
    subject.run();
    seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    cpu += cpu_seconds() - cpu_before;
  }
  // Small things of the host's, over the host's own communicator.
  launch::Communicator& host = world.communicator();
  host.all_reduce(seconds.data(), seconds.size(), launch::ElementType::kFloat64,
                  launch::ReduceOp::kMax)
      .wait();
  host.all_reduce(&cpu, 1, launch::ElementType::kFloat64, launch::ReduceOp::kSum).wait();
  host.all_reduce(&wrong, 1, launch::ElementType::kInt64, launch::ReduceOp::kSum).wait();

  CommFigures figures;
  figures.count = static_cast<std::uint64_t>(subject.count());
  figures.bytes = figures.count * launch::element_bytes(element_of(options.type));
  figures.seconds = median(seconds);
  figures.seconds_least = *std::min_element(seconds.begin(), seconds.end());
  figures.algorithm_bytes_per_second = static_cast<double>(figures.bytes) / figures.seconds;
  figures.bus_bytes_per_second =
      figures.algorithm_bytes_per_second * bus_factor(options.collective, world.size());
  figures.cpu_seconds = cpu / options.repeats;
  figures.wrong = static_cast<std::uint64_t>(wrong);
  return figures;
}

}  // namespace

double bus_factor(BenchCollective collective, int ranks) {
  const double others = static_cast<double>(ranks - 1) / ranks;
  switch (collective) {
    case BenchCollective::kAllReduce:
      return 2 * others;
    case BenchCollective::kReduceScatter:
    case BenchCollective::kAllGather:
      return others;
    case BenchCollective::kBroadcast:
      return 1;
  }
  return 0;
}

std::vector<CommFigures> bench_comm(const BenchCommOptions& options, launch::World& world) {
  const std::unique_ptr<launch::Communicator> device =
      make_device_communicator(world, options.device);
  launch::Communicator& communicator = device ? *device : world.communicator();
  std::optional<Progress> progress;
  if (world.rank() == 0) {
    progress.emplace("measuring", static_cast<std::int64_t>(options.bytes.size()));
  }
  std::vector<CommFigures> figures;
  for (const std::uint64_t bytes : options.bytes) {
    if (progress) {
      progress->update(static_cast<std::int64_t>(figures.size()), std::to_string(bytes) + " bytes");
    }
    figures.push_back(measure(options, bytes, communicator, world));
  }
  return figures;
}

}  // namespace casvit::trainer
