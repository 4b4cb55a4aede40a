#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trainer/checkpoint/input_file.h"
#include "trainer/import/pickle_value.h"
#include "trainer/import/zip_archive.h"

namespace casvit::trainer {

/// Where a tensor's elements are in its storage.
struct TensorExtent {
  std::uint64_t begin_byte = 0;  ///< of the first element
  std::uint64_t elements = 0;    ///< of the tensor
  std::uint64_t span = 0;        ///< elements from the first to the last, both counted
  bool is_contiguous = false;    ///< row-major without gaps
};

/// A file that torch.save wrote (torch/serialization.py): the zip form, or the stream of pickles of
/// PyTorch before 1.6. Opening it reads and checks everything but the tensors' bytes. Little-endian
/// files only. Reads are const and thread-safe.
class TorchFile {
 public:
  /// Pickles longer than this are refused; those of weights have some hundred kilobytes.
  static constexpr std::uint64_t kMaxPickleBytes = std::uint64_t{32} << 20;

  /// @throws CheckpointError naming the file and what is wrong with it
  explicit TorchFile(const std::string& path);

  const std::string& path() const { return file_.path(); }
  bool is_legacy() const { return !zip_; }
  const PickleGraph& graph() const { return graph_; }
  const PickleValue& root() const { return graph_[root_]; }

  /// Compares a tensor with its storage. @param name for messages
  /// @throws CheckpointError where it lies outside, where elements of it overlap (it would grow
  /// when read), or where it is a few elements strewn over a large storage
  TensorExtent locate(const TensorReference& tensor, const std::string& name) const;
  /// Compares a storage with its checksum, where the file has one. @throws CheckpointError
  void check_storage(std::size_t storage) const;
  /// Bytes of a storage, from `offset`. @throws CheckpointError
  void read(std::size_t storage, std::uint64_t offset, void* buffer, std::size_t count) const;

 private:
  struct Place {
    std::uint64_t offset = 0;  ///< in the file
    std::uint64_t bytes = 0;
    const ZipArchive::Entry* entry = nullptr;
  };

  [[noreturn]] void refuse(const std::string& defect) const;
  void open_zip();
  void open_legacy();
  void place_legacy_storages(const PickleValue& keys, std::uint64_t offset);

  InputFile file_;
  std::optional<ZipArchive> zip_;
  PickleGraph graph_;
  ValueId root_ = 0;
  std::vector<Place> places_;  ///< of graph().storages
};

/// Whether a file begins as torch.save's do (or as any zip archive or pickle does) and is no
/// safetensors file.
bool looks_like_torch_file(const InputFile& file);

}  // namespace casvit::trainer
