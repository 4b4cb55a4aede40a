#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "trainer/model/rcvit.h"

namespace casvit::trainer {

/// The CAS-ViT that a model learns from (Touvron et al., DeiT, arXiv:2012.12877): any of the four
/// sizes, told by its weights. It is used as in evaluation.
struct Teacher {
  std::string name;  ///< rcvit_s
  std::shared_ptr<Rcvit> model;
};

/// @param path of weights (.safetensors), the EMA where there is one. @param num_classes of the
/// student. @throws CheckpointError where it cannot be read or is no CAS-ViT; ConfigError where it
/// tells other classes apart
Teacher load_teacher(const std::string& path, int num_classes, const at::Device& device);

}  // namespace casvit::trainer
