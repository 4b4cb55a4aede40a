#include "trainer/engine/predict.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "dataio/error.h"
#include "dataio/pack/parallel_for.h"
#include "trainer/config/data_options.h"
#include "trainer/engine/check_world.h"
#include "trainer/engine/compute.h"
#include "trainer/engine/judge.h"
#include "trainer/engine/model_file.h"
#include "trainer/engine/pictures.h"
#include "trainer/report/gallery_choice.h"
#include "trainer/report/progress.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

/// Pictures of one block that could be read, ready for the model, and what is wrong with the
/// others.
struct Block {
  std::vector<std::uint64_t> pictures;
  at::Tensor images;  ///< `[pictures, size, size, 3] float32`
  std::vector<std::pair<std::uint64_t, std::string>> unreadable;
};

Block prepare(const Pictures& pictures, std::uint64_t first, std::uint64_t count,
              const dataio::EvalTransformOptions& transform, int threads) {
  const std::int64_t size = transform.image_size;
  Block block;
  block.images = at::empty({static_cast<std::int64_t>(count), size, size, 3}, at::kFloat);
  auto* pixels = block.images.mutable_data_ptr<float>();
  std::vector<std::string> problems(count);
  dataio::parallel_for(
      count, threads,
      [&](std::uint64_t i) {
        try {
          pictures.prepare(first + i, transform,
                           pixels + static_cast<std::int64_t>(i) * size * size * 3);
        } catch (const dataio::InputError& error) {
          problems[i] = error.what();
        }
      },
      [](std::uint64_t) {});
  std::vector<std::int64_t> readable;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (problems[i].empty()) {
      block.pictures.push_back(first + i);
      readable.push_back(static_cast<std::int64_t>(i));
    } else {
      block.unreadable.emplace_back(first + i, problems[i]);
    }
  }
  if (readable.size() < count) {
    block.images = block.images.index_select(0, at::tensor(readable, at::kLong));
  }
  return block;
}

/// The blocks of this rank, one prepared while another is computed.
class Blocks {
 public:
  Blocks(const Pictures& pictures, std::uint64_t block_size, const launch::World& world,
         dataio::EvalTransformOptions transform, int threads)
      : pictures_(pictures),
        block_size_(block_size),
        next_(static_cast<std::uint64_t>(world.rank())),
        ranks_(static_cast<std::uint64_t>(world.size())),
        transform_(std::move(transform)),
        threads_(threads) {
    start();
  }

  std::optional<Block> next() {
    if (!under_way_.valid()) {
      return std::nullopt;
    }
    Block block = under_way_.get();
    start();
    return block;
  }

 private:
  void start() {
    const std::uint64_t first = next_ * block_size_;
    if (first >= pictures_.size()) {
      return;
    }
    next_ += ranks_;
    under_way_ = std::async(std::launch::async, [this, first] {
      return prepare(pictures_, first, std::min(block_size_, pictures_.size() - first), transform_,
                     threads_);
    });
  }

  const Pictures& pictures_;
  std::uint64_t block_size_, next_, ranks_;
  dataio::EvalTransformOptions transform_;
  int threads_;
  std::future<Block> under_way_;
};

/// Everyone's unreadable pictures, in order.
std::vector<std::pair<std::uint64_t, std::string>> gather_unreadable(
    const std::vector<std::pair<std::uint64_t, std::string>>& mine,
    launch::Communicator& communicator) {
  constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
  std::vector<std::pair<std::uint64_t, std::string>> all;
  for (const std::string& part :
       launch::all_gather_strings(communicator, nlohmann::json(mine).dump(-1, ' ', false, kReplace),
                                  "the pictures that cannot be read")) {
    for (const auto& entry : nlohmann::json::parse(part)) {
      all.emplace_back(entry[0].get<std::uint64_t>(), entry[1].get<std::string>());
    }
  }
  std::ranges::sort(all);
  return all;
}

/// Small pictures of those at `places` of an evaluation, each rank making its share; on every rank
/// all of them.
std::vector<Thumbnail> thumbnails_of(const Pictures& pictures, const Evaluation& evaluation,
                                     const std::vector<std::size_t>& places, int threads,
                                     launch::Watchdog::Watch& watch, launch::World& world) {
  const auto rank = static_cast<std::uint64_t>(world.rank());
  const auto ranks = static_cast<std::uint64_t>(world.size());
  const std::uint64_t mine = places.size() / ranks + (rank < places.size() % ranks ? 1 : 0);
  std::vector<std::string> made(mine);
  dataio::parallel_for(
      mine, threads,
      [&](std::uint64_t i) {
        try {
          const std::uint64_t picture = evaluation.sample[places[i * ranks + rank]];
          const std::vector<std::uint8_t> bytes =
              pictures.thumbnail(picture, kGalleryThumbnailSide);
          made[i].assign(bytes.begin(), bytes.end());
        } catch (const dataio::InputError&) {  // changed since it was read; the page says so
        }
      },
      [&](std::uint64_t) { watch.feed(); });
  std::string bytes;
  for (const std::string& one : made) {
    bytes += std::to_string(one.size()) + ' ' + one;
  }
  std::vector<Thumbnail> all(places.size());
  const std::vector<std::string> parts =
      launch::all_gather_strings(world.communicator(), bytes, "thumbnails");
  for (std::size_t r = 0; r < parts.size(); ++r) {
    std::size_t at = 0;
    for (std::size_t place = r; place < all.size(); place += parts.size()) {
      const std::size_t space = parts[r].find(' ', at);
      const std::size_t size = std::stoul(parts[r].substr(at, space - at));
      all[place] = {"image/jpeg", parts[r].substr(space + 1, size), ""};
      at = space + 1 + size;
    }
  }
  return all;
}

}  // namespace

Predictions predict(const PredictOptions& options, launch::World& world) {
  const at::NoGradGuard no_grad;
  LoadedModel loaded = load_model(options.checkpoint, options.use, options.overrides);
  const Config& config = loaded.description.config;
  enter_world(config, world);
  const launch::ThreadPlan threads = world.plan_threads(config.launch.threads);
  at::set_num_threads(threads.compute);
  const Compute compute = choose_compute(config.device, "off", world.local_rank());
  const RcvitOptions& architecture = loaded.model.options();
  Rcvit model(architecture, at::kFloat, compute.device);
  model.state().copy_from(loaded.model.state());

  Predictions result;
  result.classes = loaded.description.info.classes;
  result.is_ema = loaded.is_ema;
  const Pictures pictures(options.inputs, result.classes, config.data.apply_orientation);
  result.ignored = pictures.ignored();
  for (std::uint64_t i = 0; i < pictures.size(); ++i) {
    result.paths.push_back(pictures.path(i));
  }
  Evaluation mine;
  mine.classes = architecture.num_classes;
  mine.top_k = std::min(options.top_k, mine.classes);
  std::vector<std::pair<std::uint64_t, std::string>> unreadable;
  std::optional<Progress> progress;
  if (world.rank() == 0) {
    progress.emplace("predicting", static_cast<std::int64_t>(pictures.size()));
  }
  const auto start = std::chrono::steady_clock::now();
  launch::Watchdog::Watch watch = world.watch("predicting");
  Blocks blocks(pictures, static_cast<std::uint64_t>(config.eval.batch_size), world,
                loaded.transform(), loader_threads_of(config, threads.loader));
  while (std::optional<Block> block = blocks.next()) {
    watch.feed();
    unreadable.insert(unreadable.end(), block->unreadable.begin(), block->unreadable.end());
    if (block->pictures.empty()) {
      continue;
    }
    const at::Tensor images = block->images.permute({0, 3, 1, 2}).to(compute.device);
    const at::Tensor logits = model.forward(images).to(at::kCPU, at::kFloat).contiguous();
    const auto* row = logits.const_data_ptr<float>();
    for (const std::uint64_t picture : block->pictures) {
      judge(row, picture, pictures.label(picture), mine);
      row += mine.classes;
    }
    if (progress) {
      progress->update(static_cast<std::int64_t>(block->pictures.back()) + 1, "");
    }
  }
  progress.reset();
  result.evaluation = gather_evaluation(mine, false, world.communicator()).value();
  for (const auto& [picture, reason] : gather_unreadable(unreadable, world.communicator())) {
    result.unreadable.push_back({result.paths[picture], reason});
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (options.thumbnails) {
    result.thumbnails =
        thumbnails_of(pictures, result.evaluation, gallery_choice(result.evaluation),
                      loader_threads_of(config, threads.loader), watch, world);
  }
  return result;
}

}  // namespace casvit::trainer
