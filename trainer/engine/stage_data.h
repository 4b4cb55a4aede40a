#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "launch/world.h"

namespace casvit::trainer {

/// The files that a run reads, on the node's own disk where that was asked for.
struct StagedData {
  std::vector<std::string> train;
  std::vector<std::string> val;
  std::vector<std::string> notes;  ///< what was done on each node, a line each, for the log
};

/// launch::Interruption was requested while files were copied: all ranks throw it, and no
/// unfinished copy is left.
class StagingInterrupted : public std::runtime_error {
 public:
  StagingInterrupted() : std::runtime_error("interrupted while files were staged") {}
};

/// Copies the files to `folder` once a node: the first rank of each node copies (see
/// dataio::stage_files), the others wait. Without a folder the files stay as they are. Collective;
/// shows on rank 0 how far its copy is.
/// @throws dataio::InputError, dataio::OutputError, StagingInterrupted
StagedData stage_data(const std::vector<std::string>& train, const std::vector<std::string>& val,
                      const std::string& folder, launch::World& world);

}  // namespace casvit::trainer
