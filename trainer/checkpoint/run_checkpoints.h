#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/checkpoint/checkpoint.h"

namespace casvit::trainer {

inline constexpr const char* kBestName = "best.safetensors";
inline constexpr const char* kLastName = "last.safetensors";

/// Where a run folder's checkpoints are.
std::string checkpoint_folder(const std::string& run_folder);

/// "epoch-0007.safetensors" or "step-00000200.safetensors".
std::string checkpoint_name(const CheckpointInfo& info, CheckpointWriter::Kind kind);

/// Whether `name` is one that checkpoint_name gives (best and last are not).
bool is_numbered_name(const std::string& name);

/// A file under `checkpoints/` whose header is whole.
struct CheckpointFile {
  std::string name;
  std::int64_t step = 0;
};

/// The checkpoints of a run by step, newest first, each file once: a numbered name goes before
/// best and last for the same file or step. Empty where the folder is not there. Files that are no
/// whole checkpoints are left out, with a message each in `warnings` (may be null).
/// @throws CheckpointError for a folder that cannot be listed.
std::vector<CheckpointFile> list_checkpoints(const std::string& run_folder,
                                             std::vector<std::string>* warnings);

}  // namespace casvit::trainer
