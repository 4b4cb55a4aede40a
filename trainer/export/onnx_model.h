#pragma once

#include <onnx/onnx_pb.h>

#include <map>
#include <string>

#include "trainer/model/rcvit.h"

namespace casvit::trainer {

/// The operator set, and the version of the file format that came with it (ONNX 1.12).
inline constexpr int kOnnxOpset = 17;
inline constexpr int kOnnxIrVersion = 8;

/// The model's `forward` as an ONNX model: `input` float32 `[batch, 3, height, width]`, all three
/// free, to `logits` `[batch, classes]`. No batch norm is left: each goes into the layer before
/// it, or into the 1 x 1 convolution or linear layer after it, in float64. Of two heads the
/// average is stored as one. Tensors have the official names; `attn.qkv` gets a bias.
/// @param metadata becomes metadata_props
onnx::ModelProto onnx_model(const Rcvit& model, const std::map<std::string, std::string>& metadata,
                            const std::string& description);

}  // namespace casvit::trainer
