#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/safetensors_header.h"

namespace casvit::trainer {

/// Hashes of a checkpoint's tensors by name, as they stand in the metadata.
using TensorHashes = std::map<std::string, std::string>;

/// What the metadata of a checkpoint hold, checked against its header's seal.
struct CheckpointMetadata {
  CheckpointInfo info;
  TensorHashes hashes;  ///< one for every tensor of the file, and no other
};

/// XXH3 of a tensor's bytes, 16 hexadecimal digits. The tensor must be in its stored form.
std::string hash_of(const at::Tensor& tensor);

/// Whether the metadata are those of a checkpoint of ours, whole or not.
bool is_checkpoint(const std::map<std::string, std::string>& metadata);

/// The metadata of a checkpoint of these tensors (in their stored form), and `more`.
std::map<std::string, std::string> make_metadata(
    const CheckpointInfo& info, const std::vector<NamedTensor>& tensors,
    const std::map<std::string, std::string>& more = {});

/// Parses and checks what make_metadata gave. @throws CheckpointError naming `path`.
CheckpointMetadata parse_metadata(const SafetensorsHeader& header, const std::string& path);

/// Compares the tensors' bytes with their hashes. @throws CheckpointError naming `path` and tensor.
void check_hashes(const std::vector<NamedTensor>& tensors, const TensorHashes& hashes,
                  const std::string& path);

}  // namespace casvit::trainer
