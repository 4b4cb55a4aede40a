#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace casvit::dataio {

/// A copy of a container in a folder on this node's own disk.
struct StagedFile {
  std::string source;
  std::string path;  ///< FOLDER/casvit-KEY/NAME, KEY a hash of what the file holds
  std::uint64_t bytes = 0;
  bool reused = false;  ///< it was there already
};

/// Bytes copied and checked so far, of how many: each byte counts twice. Called from the copying
/// thread after every few megabytes, and while another process copies; what it throws ends the
/// copying, and nothing of that file is left.
using StageProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// Copies containers to `folder`, which is made if need be. A copy is written aside, forced to the
/// disk, read back and compared by hash with what was read from the source, and only then gets its
/// name. A copy that is there under its name, of the same key and size and with a sound index, is
/// used as it is. Processes that stage the same file at once wait for each other, so that it is
/// copied once.
/// @param sources .h5 files, no globs
/// @throws InputError when a source is no sound container or cannot be read; OutputError when there
/// is not enough space for a file (looked at before its first byte, and once what killed copiers
/// left of it is gone), or `folder` cannot be written to
std::vector<StagedFile> stage_files(const std::vector<std::string>& sources,
                                    const std::string& folder, const StageProgress& progress);

}  // namespace casvit::dataio
