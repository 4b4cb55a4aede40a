#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataio/container/file_descriptor.h"
#include "dataio/pack/sample_record.h"

namespace casvit::dataio {

/// What a packing was asked for, fixed when it begins.
struct JournalRequest {
  std::string request;             ///< options that decide what the files hold, and which pictures
  std::string created;             ///< UTC, ISO 8601
  std::string command_line;        ///< as typed
  std::vector<std::string> files;  ///< names of the temporary files, in the journal's folder
};

/// What an interrupted packing had reached.
struct JournalState {
  JournalRequest request;
  std::string records;                ///< encoded SampleRecords, in the order of candidates
  std::uint64_t durable_bytes = 0;    ///< of `records`: their pictures are known to be on disk
  std::vector<std::uint64_t> sealed;  ///< index hash of each part, once all are sealed
};

/// A file beside the output that says what the output will hold and how far it has come, so that a
/// killed packing can be continued. It is removed with this object unless `keep` is called. One
/// process at a time has it.
class Journal {
 public:
  /// Makes a new one, over any that is there. @throws OutputError; UsageError when another process
  /// is packing to the same output.
  Journal(const std::string& path, const JournalRequest& request);
  ~Journal();
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&& other) noexcept;

  /// The one at `path`; nothing where there is none, or none with a whole beginning. What a kill
  /// cut short at its end is left out. @throws as above
  static std::optional<Journal> open(const std::string& path, JournalState& state);

  /// Forgets records beyond the first `bytes` bytes, and that anything was sealed; durably.
  /// @throws OutputError
  void cut_records(std::uint64_t bytes);
  /// @throws OutputError
  void add_records(const std::string& encoded);
  /// All records so far are those of pictures that are on disk: says so, durably. @throws
  /// OutputError
  void mark_durable();
  /// @throws OutputError
  void mark_sealed(const std::vector<std::uint64_t>& index_hashes);

  /// Whether the file stays when this object goes. One that was opened stays by default.
  void keep(bool kept = true) { kept_ = kept; }

 private:
  Journal(std::string path, FileDescriptor descriptor);
  void lock() const;
  void add_frame(char kind, const std::string& payload);
  [[noreturn]] void fail() const;

  std::string path_;
  FileDescriptor descriptor_;
  std::uint64_t end_ = 0;
  bool kept_ = false;
};

}  // namespace casvit::dataio
