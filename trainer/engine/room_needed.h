#pragma once

#include <cstdint>
#include <string>

#include "dataio/loader/step_table.h"
#include "launch/preflight/disk_room.h"
#include "trainer/config/config.h"
#include "trainer/engine/run_state.h"

namespace casvit::trainer {

/// Size of one checkpoint's file, with some room for its header: weights, both moments, and the
/// average where there is one.
std::uint64_t checkpoint_bytes(const ModelState& model, bool with_average);
std::uint64_t checkpoint_bytes(const RunState& state);

/// How many checkpoint files a run folder holds at most: those kept, the best where it is an older
/// one, and the one being written.
std::int64_t checkpoints_at_once(const Config& config, const dataio::StepTable& steps);

/// What one rank keeps in memory whatever the batch's activations take, which is not counted:
/// weights, gradients, moments, average, and the batches decoded ahead.
std::uint64_t resident_bytes(const Config& config, const ModelState& model);

/// "12.3 GB", "4.0 MB".
std::string bytes_text(std::uint64_t bytes);

/// Why a checkpoint cannot be written there; empty where nothing speaks against it.
std::string problem_with_room(const launch::DiskRoom& room, std::uint64_t checkpoint_bytes);

/// Before the first step rather than at the first checkpoint. @throws OutputError
void require_room_for_checkpoint(const std::string& run_folder, std::uint64_t checkpoint_bytes);

}  // namespace casvit::trainer
