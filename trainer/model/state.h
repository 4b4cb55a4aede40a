#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace casvit::trainer {

/// What a tensor of the model is; decides where it is stored and who updates it.
enum class TensorRole {
  kDecayed,          ///< parameter with two or more dimensions: weight decay applies
  kPlain,            ///< one-dimensional parameter: no weight decay
  kRunningMean,      ///< batch norm buffer
  kRunningVariance,  ///< batch norm buffer
  kBatchesTracked,   ///< batch norm counter, int64
};

struct TensorSpec {
  std::string name;  ///< official CAS-ViT state-dict key
  std::vector<std::int64_t> shape;
  TensorRole role;
};

/// The tensors of one model, in the official state dict's order. All parameters are views of one
/// flat tensor (each on a 64-byte border), all running statistics of another, so that EMA and
/// communication work on a few long vectors.
class ModelState {
 public:
  ModelState(std::vector<TensorSpec> specs, at::ScalarType type, at::Device device);

  struct Entry {
    std::string name;
    TensorRole role;
    at::Tensor tensor;        ///< view with the official shape
    std::int64_t offset = 0;  ///< first element in the flat tensor of its role
    bool is_parameter() const { return role == TensorRole::kDecayed || role == TensorRole::kPlain; }
  };
  const std::vector<Entry>& entries() const { return entries_; }
  /// @throws std::out_of_range for a name that the model does not have.
  const Entry& entry(const std::string& name) const;
  /// nullptr for a name that the model does not have.
  const Entry* find(const std::string& name) const;

  const at::Tensor& parameters() const { return parameters_; }  ///< flat, padding is zero
  const at::Tensor& buffers() const { return buffers_; }    ///< flat running means and variances
  const at::Tensor& counters() const { return counters_; }  ///< flat int64 batches tracked
  std::int64_t parameter_count() const;                     ///< without padding

  /// The entries that are parameters, in order.
  std::vector<const Entry*> parameter_entries() const;
  /// Moves the parameters within the flat tensor, values unchanged. Whoever holds one of the
  /// tensors still does; views of the flat tensor are stale.
  /// @param offsets of each parameter entry's first element, multiples of kFlatAlignment
  /// @param length of the new flat tensor
  void arrange(const std::vector<std::int64_t>& offsets, std::int64_t length);

  /// Copies every value of `other` (same specs, any arrangement, device or type).
  void copy_from(const ModelState& other);

 private:
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::size_t> index_;
  at::Tensor parameters_, buffers_, counters_;
};

/// Elements by which every tensor in a flat one is aligned: 64 bytes of float32.
inline constexpr std::int64_t kFlatAlignment = 16;

}  // namespace casvit::trainer
