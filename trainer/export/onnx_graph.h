#pragma once

#include <ATen/core/Tensor.h>
#include <onnx/onnx_pb.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <unordered_set>
#include <vector>

#include "trainer/export/fold_batch_norm.h"

namespace casvit::trainer {

/// Builds the nodes of an ONNX graph, each after those whose values it takes. Every value is named
/// after the node that makes it; a name comes once.
class OnnxGraph {
 public:
  using Value = std::string;
  using Values = std::vector<Value>;

  explicit OnnxGraph(onnx::GraphProto& graph) : graph_(graph) {}

  /// A float32 input or output of the whole graph. @param dimensions numbers, or names of sizes
  /// that are free
  Value input(const std::string& name, const std::vector<std::string>& dimensions);
  void output(const Value& value, const std::vector<std::string>& dimensions);

  /// A stored tensor, rounded to float32.
  Value initializer(const std::string& name, const at::Tensor& tensor);

  /// A node with one output, and without attributes.
  Value node(const char* type, const std::string& name, const Values& inputs);
  /// Square kernels, the same padding on every side.
  Value convolution(const std::string& name, const Value& x, const LayerWeights& layer,
                    std::int64_t stride, std::int64_t padding, std::int64_t groups);
  /// `[N, I]` to `[N, O]`. @param value the name of what it gives
  Value linear(const std::string& name, const Value& x, const LayerWeights& layer,
               const std::string& value);
  /// The channels of `x` in equal parts.
  Values split_channels(const std::string& name, const Value& x, int parts);
  /// `[N, C, 1, 1]` to `[N, C]`.
  Value flatten(const std::string& name, const Value& x);
  /// Exact GELU in the five operators that runtimes know for it; opset 17 has none of that name.
  Value gelu(const std::string& name, const Value& x);

 private:
  onnx::NodeProto& add(const char* type, const std::string& name, const Values& inputs);
  Value add_output(onnx::NodeProto& node, const std::string& name);
  /// A stored number, once for all nodes that take it.
  Value number(const std::string& name, double value);

  onnx::GraphProto& graph_;
  std::unordered_set<std::string> names_;
};

}  // namespace casvit::trainer
