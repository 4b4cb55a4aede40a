#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dataio/augment/transform.h"
#include "dataio/container/pending_file.h"
#include "dataio/pack/split.h"
#include "dataio/pack/storage.h"

namespace casvit::dataio {

struct PackResult;

enum class OnError {
  kQuarantine,  ///< leave bad pictures out and report them
  kFail         ///< stop at the first bad picture
};

struct PackOptions {
  /// Folder of class folders, or of train/, val/, test/; a list (.csv, .tsv, .txt); a .tar archive.
  std::string source;
  std::vector<std::string> more_sources;  ///< further archives
  std::string list_root;          ///< where a list's relative paths start; empty: its folder
  std::string output;             ///< OUT.h5; several parts become OUT.NAME.h5
  std::vector<SplitShare> split;  ///< empty: no split, or the one that the source makes
  std::uint64_t seed = 0;         ///< of the split
  bool stratify = true;           ///< split each class in the same proportions
  StorageOptions storage;
  int workers = 1;  ///< threads
  /// Of the files that are packed. Whatever is asked for, the journal of a long packing knows which
  /// pictures are on disk.
  Durability durability = Durability::kLeftToTheSystem;
  bool restart = false;  ///< discard what an interrupted packing to the same output left
  OnError on_error = OnError::kQuarantine;
  bool allow_empty_classes = false;
  Normalization normalization;  ///< stored for training; by default ImageNet's
  std::string created;          ///< UTC, ISO 8601
  std::string tool_version;
  std::string command_line;
  /// Called before pictures are read, where an interrupted packing is continued: how many
  /// candidates it had done. May be empty.
  std::function<void(std::uint64_t done, std::uint64_t total)> on_continue;
  /// Called when everything is written, before the files get their names. May be empty.
  std::function<void(const PackResult&)> before_publish;
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
  std::uint64_t continued = 0;  ///< candidates that an interrupted packing had done
};

inline constexpr const char* kListingPhase = "listing";

/// Called on the calling thread, about ten times a second: `phase` is "listing" (files found, of an
/// unknown total, 0), "packing" (pictures), "joining" or "sealing" (files). What it throws
/// interrupts the packing: what was packed is kept, hidden beside the output, for the next packing
/// of the same request to continue.
using PackProgress =
    std::function<void(const std::string& phase, std::uint64_t done, std::uint64_t total)>;

/// The processes that pack together; by default one.
struct PackRanks {
  int rank = 0;
  int size = 1;
  /// Every rank's text in the order of ranks. All ranks call it equally often, on the thread that
  /// called `pack`.
  std::function<std::vector<std::string>(const std::string&)> all_gather;
};

/// Packs pictures into one container, or one for each part. Every picture is read once: checked,
/// hashed and written, by `workers` threads on each rank, each rank a range of the pictures. The
/// files appear together at the end; on a failure nothing is left behind. They depend only on the
/// pictures and the options, never on workers, ranks or interruptions.
/// @throws UsageError   empty source, class without a usable picture, impossible split, an
///                      interrupted packing of another request;
///         InputError   missing source, bad picture under kFail, one that changed since the packing
///                      was interrupted;
///         OutputError  when a file cannot be written.
PackResult pack(const PackOptions& options, const PackProgress& progress,
                const PackRanks& ranks = {});

/// "OUT.train.h5" for "OUT.h5" and "train".
std::string part_path(const std::string& output, const std::string& part);

}  // namespace casvit::dataio
