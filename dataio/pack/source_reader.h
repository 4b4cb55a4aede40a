#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataio/container/file_descriptor.h"
#include "dataio/pack/plan.h"
#include "dataio/pack/sample_record.h"

namespace casvit::dataio {

/// Reads the pictures of a plan, from files or from archives at their offset. Const methods are
/// thread-safe.
class SourceReader {
 public:
  /// Opens the plan's archives. @throws InputError
  explicit SourceReader(const PackPlan& plan);

  /// Reads a whole picture, behind the first `at` bytes of `bytes`. What is no picture by its first
  /// bytes is not read any further.
  /// @param stamp set as soon as it is known, also where this throws
  /// @throws InputError with the reason alone, without the file's name: missing, not a regular
  /// file,
  ///         unreadable, empty, no picture, 4 GiB or more.
  void read(const Candidate& candidate, std::vector<std::uint8_t>& bytes, std::size_t at,
            SourceStamp& stamp) const;

  /// Size and time without reading; all zero for what cannot be found.
  SourceStamp stamp(const Candidate& candidate) const;

  /// How messages name a candidate.
  std::string describe(const Candidate& candidate) const;

 private:
  struct OpenArchive {
    std::string path;
    FileDescriptor descriptor;
    SourceStamp stamp;
  };

  FileDescriptor root_;  ///< the folder that relative paths start from
  std::string root_path_;
  std::vector<OpenArchive> archives_;
};

}  // namespace casvit::dataio
