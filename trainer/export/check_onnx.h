#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <string>

#include "trainer/model/rcvit.h"

namespace casvit::trainer {

/// Largest difference of a logit between the exported model and ours, as a share of the largest
/// logit.
inline constexpr double kOnnxTolerance = 1e-4;

/// How an exported model compares with ours on made-up pictures.
struct OnnxAgreement {
  double largest_difference = 0;  ///< of a logit, absolute
  double largest_logit = 0;       ///< absolute
  std::int64_t pictures = 0;
  std::int64_t same_top1 = 0;

  bool is_close() const { return largest_difference <= kOnnxTolerance * largest_logit; }
};

/// ONNX's own checker with shape inference. @throws std::runtime_error with what it finds.
void check_onnx(const onnx::ModelProto& model);

/// Runs both on a batch of `image_size` squares and on one of other shape and number, always the
/// same pictures. @throws CheckpointError naming `path` where our own logits are not finite.
OnnxAgreement compare_with_onnx(const Rcvit& model, const onnx::ModelProto& exported,
                                int image_size, const std::string& path);

}  // namespace casvit::trainer
