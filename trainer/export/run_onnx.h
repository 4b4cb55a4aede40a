#pragma once

#include <ATen/core/Tensor.h>
#include <onnx/onnx_pb.h>

namespace casvit::trainer {

/// Computes a model of one input and one output by the ONNX operators' own definitions, on ATen
/// in float32: an evaluator of just what onnx_model writes, that shares no code with Rcvit.
/// @param input of the shape that the graph's input declares
/// @throws std::runtime_error for an operator, attribute or type beyond those, values that no node
/// made, and shapes that do not fit.
at::Tensor run_onnx(const onnx::ModelProto& model, const at::Tensor& input);

}  // namespace casvit::trainer
