#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <optional>
#include <string>

#include "trainer/model/rcvit.h"

namespace casvit::trainer {

struct Architecture {
  std::string name;  ///< rcvit_xs, rcvit_s, rcvit_m, rcvit_t
  RcvitOptions options;
};

/// Which CAS-ViT weights under official names are of: told by the width of the stem, the number of
/// blocks and the heads. Whether all tensors fit is for whoever loads them to see. nullopt where
/// none is like that.
std::optional<Architecture> recognise_architecture(
    const std::map<std::string, at::Tensor>& tensors);

}  // namespace casvit::trainer
