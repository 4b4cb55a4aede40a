#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "trainer/import/torch_file.h"

namespace casvit::trainer {

/// Reads a tensor of a file of torch.save, whatever view of its storage it is, and checks the
/// storage's checksum. Contiguous, on the CPU, in the type it was saved in (bool as uint8).
/// @param name for messages
/// @throws CheckpointError, also for types that weights never have
at::Tensor read_tensor(const TorchFile& file, const TensorReference& tensor,
                       const std::string& name);

}  // namespace casvit::trainer
