#include "trainer/model/architecture.h"

namespace casvit::trainer {
namespace {

/// Length of the first dimension; 0 where there is no such tensor.
std::int64_t rows(const std::map<std::string, at::Tensor>& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  return found == tensors.end() || found->second.dim() == 0 ? 0 : found->second.size(0);
}

bool has_block(const std::map<std::string, at::Tensor>& tensors, std::size_t stage, int block) {
  return tensors.contains("network." + std::to_string(2 * stage) + "." + std::to_string(block) +
                          ".norm1.weight");
}

bool has_blocks(const std::map<std::string, at::Tensor>& tensors, const RcvitOptions& options) {
  for (std::size_t stage = 0; stage < options.layers.size(); ++stage) {
    const int blocks = options.layers[stage];
    if (!has_block(tensors, stage, blocks - 1) || has_block(tensors, stage, blocks)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<Architecture> recognise_architecture(
    const std::map<std::string, at::Tensor>& tensors) {
  for (const std::string& name : rcvit_names()) {
    RcvitOptions options = rcvit_options(name);
    if (rows(tensors, "patch_embed.3.weight") != options.embed_dims[0] ||
        !has_blocks(tensors, options)) {
      continue;
    }
    options.num_classes = static_cast<int>(rows(tensors, "head.weight"));
    options.distillation = tensors.contains("dist_head.weight");
    options.features_only = options.num_classes == 0;
    return Architecture{name, options};
  }
  return std::nullopt;
}

}  // namespace casvit::trainer
