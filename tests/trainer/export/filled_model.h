#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <string>

#include "tests/trainer/model/golden_file.h"
#include "trainer/model/rcvit.h"

namespace casvit::trainer {

/// A model with the golden files' values: every batch norm moves and scales what it gets.
inline Rcvit filled_model(const std::string& name, int classes, bool distillation) {
  RcvitOptions options = rcvit_options(name);
  options.num_classes = classes;
  options.distillation = distillation;
  Rcvit model(options, at::kFloat, at::kCPU);
  const at::NoGradGuard no_grad;
  for (const ModelState::Entry& entry : model.state().entries()) {
    at::Tensor tensor = entry.tensor;
    tensor.copy_(golden::fill(entry.name, tensor.sizes().vec(), tensor.scalar_type()));
  }
  return model;
}

}  // namespace casvit::trainer
