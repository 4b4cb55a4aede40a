#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dataio/augment/transform.h"
#include "dataio/pack/split.h"

namespace casvit::dataio {

enum class OnError {
  kQuarantine,  ///< leave bad pictures out and report them
  kFail         ///< stop at the first bad picture
};

struct PackOptions {
  std::string source;             ///< folder of class folders, or of train/, val/, test/
  std::string output;             ///< OUT.h5; several parts become OUT.NAME.h5
  std::vector<SplitShare> split;  ///< empty: no split, or the one that the folders make
  std::uint64_t seed = 0;         ///< of the split
  int workers = 1;                ///< threads
  OnError on_error = OnError::kQuarantine;
  bool allow_empty_classes = false;
  Normalization normalization;  ///< stored for training; by default ImageNet's
  std::string created;          ///< UTC, ISO 8601
  std::string tool_version;
  std::string command_line;
};

struct RejectedFile {
  std::string path;    ///< relative to the source folder
  std::string reason;  ///< "empty file (0 bytes)"
};

struct PackedFile {
  std::string path;
  std::string split;  ///< "train", ...; "all" where there is one file
  std::uint64_t samples = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t index_hash = 0;
  std::vector<std::uint64_t> class_counts;
};

struct PackResult {
  std::vector<std::string> classes;
  std::vector<PackedFile> files;
  std::vector<RejectedFile> rejected;
  std::uint64_t ignored = 0;  ///< files that are not pictures by name
  std::vector<std::string> ignored_examples;
};

/// Called on the calling thread, about ten times a second: `phase` is "checking" (pictures),
/// "packing" (pictures) or "sealing" (files). What it throws ends the packing, and nothing is left.
using PackProgress =
    std::function<void(const std::string& phase, std::uint64_t done, std::uint64_t total)>;

/// Packs a folder of pictures, byte for byte, into one container or one for each part. Every file
/// is read twice: checked and hashed before anything is written, then copied and compared with the
/// hash. The files appear together at the end; on any failure nothing is left behind. They depend
/// only on the pictures and the options, never on the workers.
/// @throws UsageError   empty folder, class without a usable picture, impossible split;
///         InputError   missing folder, bad picture under kFail, picture that changed meanwhile;
///         OutputError  when a file cannot be written.
PackResult pack(const PackOptions& options, const PackProgress& progress);

/// "OUT.train.h5" for "OUT.h5" and "train".
std::string part_path(const std::string& output, const std::string& part);

}  // namespace casvit::dataio
