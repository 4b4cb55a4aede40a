#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trainer/checkpoint/safetensors.h"

namespace casvit::trainer {

// The safetensors metadata of a checkpoint, all of them strings as the format demands:
//
//   format         "pt", by convention: tensors are laid out as PyTorch's
//   casvit_format  "1", the version of what follows; a reader refuses a greater one
//   casvit_info    one JSON object, the members of CheckpointInfo under their names
//   casvit_xxh3    one JSON object, tensor name -> XXH3 (64 bits, 16 hexadecimal digits) of its
//   bytes casvit_seal    XXH3 of the other metadata and of every tensor's name, dtype and shape
//
// So no byte of a checkpoint can change unnoticed, and the header is checked without the tensors.

/// What a checkpoint says besides its tensors (stored as JSON in the safetensors metadata). Text
/// that is not UTF-8 (a path in the configuration may be) is stored with U+FFFD for the bytes at
/// fault.
struct CheckpointInfo {
  std::int64_t step = 0;           ///< optimisation steps completed
  int epoch = 0;                   ///< epochs completed
  std::int64_t step_in_epoch = 0;  ///< steps completed of the next epoch (position)
  double epoch_loss_sum = 0;       ///< running sum of step losses of that epoch, for its average
  std::int64_t replaced = 0;       ///< pictures replaced for being corrupt, in the whole run
  std::int64_t replaced_in_epoch = 0;       ///< those of that epoch
  std::int64_t skipped = 0;                 ///< steps that were not finite, in the whole run
  std::int64_t skipped_in_epoch = 0;        ///< those of that epoch
  std::int64_t skipped_in_row = 0;          ///< those since the last that was
  double patience_acc1 = -1;                ///< the last best that was better by train.min_delta
  std::int64_t evaluations_since_best = 0;  ///< since that one
  double best_acc1 = -1;  ///< best so far of the weights that count (EMA where there are any)
  int best_epoch = 0;
  double seconds_before = 0;  ///< training time spent up to here, over all restarts
  std::string config_yaml;
  std::vector<std::string> classes;
  std::string data_hash;  ///< Dataset::content_hash of the training data
  std::string normalization_mean, normalization_std;  ///< "0.485,0.456,0.406"
  int image_size = 0;
  double eval_crop_ratio = 0;
  int ranks = 0;
  int threads = 0;
  std::string precision;          ///< that it was computed in: "float32", "bf16 autocast"
  std::int64_t bucket_bytes = 0;  ///< size of gradient buckets found fastest; 0: none yet
  std::string versions;           ///< free text
};

struct Checkpoint {
  CheckpointInfo info;
  std::vector<NamedTensor>
      tensors;  ///< model.*, ema.*, optimizer.exp_avg.* (and what else it keeps), scaler.*
};

/// Writes a checkpoint at once, in the caller's thread, as write_safetensors does.
/// @param more metadata for readers that are not ours, under other keys than those above
/// @throws OutputError
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint,
                      const std::map<std::string, std::string>& more = {});

/// Reads a checkpoint and checks the hash of every tensor. @throws CheckpointError
Checkpoint read_checkpoint(const std::string& path);

/// Only the metadata, without reading tensors; the header is checked whole. @throws CheckpointError
CheckpointInfo read_checkpoint_info(const std::string& path);

/// The newest whole checkpoint of a run folder (by step; every hash is checked), nullopt where
/// there is none. Files under `checkpoints/` that are torn or corrupt are passed over with a
/// message for each in `warnings` (may be null). Where a kill came between the file and its
/// numbered name, it can be best.safetensors or last.safetensors. @throws CheckpointError for an
/// unreadable folder.
std::optional<std::string> newest_checkpoint(const std::string& run_folder,
                                             std::vector<std::string>* warnings);

/// Saves checkpoints of a run folder on a thread of its own: training waits only for the copy of
/// the tensors, never for the disk (unless two saves overlap). Keeps `last.safetensors` and
/// `best.safetensors` as hard links (copies where the file system has none) and prunes the oldest
/// numbered files beyond `keep`; those of later steps than the one saved, which a run resumed from
/// an older checkpoint leaves behind, count as the oldest. Rank 0 only; used by one thread.
class CheckpointWriter {
 public:
  /// Makes `checkpoints/` and removes what a killed writer left unfinished in it.
  /// @param keep numbered files kept; 0: all. @throws OutputError
  CheckpointWriter(std::string run_folder, int keep);
  /// Waits for the save under way. An error that nobody waited for goes to stderr: call wait()
  /// first.
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  enum class Kind { kEpoch, kStep };
  /// Copies the tensors and returns; the file is `epoch-0007.safetensors` or
  /// `step-00000200.safetensors`. Waits first for an earlier save still under way.
  /// @throws OutputError of the earlier save; this one is not begun then. Its own error comes with
  /// the next save() or wait().
  void save(const Checkpoint& checkpoint, Kind kind, bool is_best);
  /// Waits until everything is durable. @throws OutputError
  void wait();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace casvit::trainer
