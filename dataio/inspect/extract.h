#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace casvit::dataio {

struct ExtractResult {
  std::uint64_t pictures = 0;
  std::uint64_t bytes = 0;
  std::uint64_t raw = 0;  ///< stored as pixels: written as PNG, of the same pixels
  /// Pictures whose stored names could not be used (see extract), as "FILE: sample 3 (../x)".
  std::uint64_t renamed = 0;
  std::vector<std::string> renamed_examples;
};

/// Writes the pictures of `files` into the new folder `folder`, byte for byte, in a folder for each
/// class: under the path that they were packed from, led by the class where that path does not name
/// it. Names are any bytes. A name that would lead outside the folder, that the system does not
/// take, or that is another picture's too, becomes CLASS/sample-FILE-NUMBER.EXTENSION.
///
/// The folder is written aside and gets its name when it is whole and on disk; one that is there,
/// and empty, is filled at the end. On any failure nothing is left.
/// @param tick (done, total), on the calling thread, from the first file that is opened on; what it
///        throws ends the work.
/// @throws UsageError when `folder` exists and is not empty; InputError naming a damaged file or
///         sample; OutputError when something cannot be written.
ExtractResult extract(const std::vector<std::string>& files, const std::string& folder, int workers,
                      const std::function<void(std::uint64_t, std::uint64_t)>& tick);

}  // namespace casvit::dataio
