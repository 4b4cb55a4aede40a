#include "trainer/export/check_onnx.h"

#include <ATen/ATen.h>
#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <stdexcept>

#include "trainer/error.h"
#include "trainer/export/run_onnx.h"

namespace casvit::trainer {
namespace {

/// Uniform in [-2, 2], the range of normalised pictures. The generator is the standard's, so that
/// every machine sees the same.
at::Tensor made_up_pictures(at::IntArrayRef shape) {
  std::mt19937 generator(0);
  at::Tensor pictures = at::empty(shape, at::kFloat);
  auto* values = pictures.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < pictures.numel(); ++i) {
    values[i] = static_cast<float>(generator() / 4294967296.0 * 4 - 2);
  }
  return pictures;
}

}  // namespace

void check_onnx(const onnx::ModelProto& model) {
  onnx::checker::check_model(model);
  onnx::ModelProto copy = model;
  onnx::shape_inference::InferShapes(copy, onnx::OpSchemaRegistry::Instance(), {true, 1, false});
}

OnnxAgreement compare_with_onnx(const Rcvit& model, const onnx::ModelProto& exported,
                                int image_size, const std::string& path) {
  OnnxAgreement agreement;
  for (const auto& shape : {std::array<std::int64_t, 4>{2, 3, image_size, image_size},
                            std::array<std::int64_t, 4>{3, 3, 64, 96}}) {
    const at::Tensor pictures = made_up_pictures(shape);
    const at::Tensor ours = model.forward(pictures.contiguous(at::MemoryFormat::ChannelsLast));
    if (!at::isfinite(ours).all().item<bool>()) {
      throw CheckpointError(path + ": with these weights the logits are not finite");
    }
    const at::Tensor theirs = run_onnx(exported, pictures);
    if (theirs.sizes() != ours.sizes()) {
      throw std::runtime_error("the exported model gives logits of another shape");
    }
    const auto difference = (ours - theirs).abs().max().item<double>();
    // A maximum with NaN in it would be passed over below.
    agreement.largest_difference =
        std::max(agreement.largest_difference,
                 std::isfinite(difference) ? difference : std::numeric_limits<double>::infinity());
    agreement.largest_logit = std::max(agreement.largest_logit, ours.abs().max().item<double>());
    agreement.pictures += ours.size(0);
    agreement.same_top1 += ours.argmax(1).eq(theirs.argmax(1)).sum().item<std::int64_t>();
  }
  return agreement;
}

}  // namespace casvit::trainer
