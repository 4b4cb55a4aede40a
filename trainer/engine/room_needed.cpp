#include "trainer/engine/room_needed.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "trainer/checkpoint/run_checkpoints.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

constexpr std::uint64_t kElementBytes = 4;  // everything is float32 but a few counters
/// Names, shapes, hashes, configuration, classes.
constexpr std::uint64_t kHeaderBytes = std::uint64_t{256} << 10;

std::uint64_t parameters_of(const ModelState& model) {
  return static_cast<std::uint64_t>(model.parameter_count());
}

}  // namespace

std::uint64_t checkpoint_bytes(const ModelState& model, bool with_average) {
  const auto buffers = static_cast<std::uint64_t>(model.buffers().numel());
  const std::uint64_t weights = parameters_of(model) + buffers;
  const std::uint64_t moments = 2 * parameters_of(model);
  return kElementBytes * (weights * (with_average ? 2 : 1) + moments) + kHeaderBytes;
}

std::uint64_t checkpoint_bytes(const RunState& state) {
  return checkpoint_bytes(state.model.state(), state.average.has_value());
}

std::int64_t checkpoints_at_once(const Config& config, const dataio::StepTable& steps) {
  const std::int64_t last_step = config.train.max_steps > 0
                                     ? std::min(config.train.max_steps, steps.total_steps())
                                     : steps.total_steps();
  const std::int64_t epochs = steps.epoch_of(last_step);
  std::int64_t written = epochs / config.checkpoint.every_epochs + 1;  // there is always a last one
  if (config.checkpoint.every_steps > 0) written += last_step / config.checkpoint.every_steps;
  const std::int64_t keep = config.checkpoint.keep;
  return keep == 0 ? written : std::min(written, keep + 2);
}

std::uint64_t resident_bytes(const Config& config, const ModelState& model) {
  const std::uint64_t vectors = config.ema.decay > 0 ? 5 : 4;
  const auto side = static_cast<std::uint64_t>(config.model.image_size);
  const std::uint64_t picture = 3 * side * side * kElementBytes;
  const auto pictures = static_cast<std::uint64_t>(config.batch.shard_size) *
                        static_cast<std::uint64_t>(config.data.queue_batches + 1);
  return vectors * kElementBytes * parameters_of(model) + pictures * picture;
}

std::string bytes_text(std::uint64_t bytes) {
  struct Unit {
    double bytes;
    const char* name;
  };
  constexpr std::array<Unit, 4> kUnits{{{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}}};
  const auto value = static_cast<double>(bytes);
  for (const Unit& unit : kUnits) {
    if (value < unit.bytes) continue;
    char text[32];
    std::snprintf(text, sizeof text, "%.1f %s", value / unit.bytes, unit.name);
    return text;
  }
  return std::to_string(bytes) + " bytes";
}

std::string problem_with_room(const launch::DiskRoom& room, std::uint64_t checkpoint_bytes) {
  if (!room.writable) {
    return room.folder + " cannot be written to (" + room.existing +
           " is no folder, or not this user's to write in); choose another with --out";
  }
  if (room.free_bytes && *room.free_bytes < checkpoint_bytes) {
    return "a checkpoint takes " + bytes_text(checkpoint_bytes) + ", and the disk of " +
           room.folder + " has " + bytes_text(*room.free_bytes) +
           " left; make room there, or choose another folder with --out";
  }
  return {};
}

void require_room_for_checkpoint(const std::string& run_folder, std::uint64_t checkpoint_bytes) {
  const std::string problem =
      problem_with_room(launch::disk_room(checkpoint_folder(run_folder)), checkpoint_bytes);
  if (!problem.empty()) throw OutputError(problem);
}

}  // namespace casvit::trainer
