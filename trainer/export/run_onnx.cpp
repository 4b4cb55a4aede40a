#include "trainer/export/run_onnx.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace casvit::trainer {
namespace {

using Tensors = std::vector<at::Tensor>;
using Sizes = std::vector<std::int64_t>;

[[noreturn]] void refuse(const onnx::NodeProto& node, const std::string& what) {
  throw std::runtime_error("ONNX node " + node.name() + " (" + node.op_type() + "): " + what);
}

/// A node's attributes, each taken once: what is left over is one that the evaluator does not know.
class Attributes {
 public:
  explicit Attributes(const onnx::NodeProto& node) : node_(node) {
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      left_.emplace(attribute.name(), &attribute);
    }
  }

  std::int64_t integer(const char* name, std::int64_t otherwise) {
    const onnx::AttributeProto* attribute = take(name, onnx::AttributeProto::INT);
    return attribute == nullptr ? otherwise : attribute->i();
  }
  Sizes integers(const char* name, Sizes otherwise) {
    const onnx::AttributeProto* attribute = take(name, onnx::AttributeProto::INTS);
    return attribute == nullptr ? std::move(otherwise)
                                : Sizes(attribute->ints().begin(), attribute->ints().end());
  }
  void finish() const {
    if (!left_.empty()) {
      refuse(node_, "the attribute " + left_.begin()->first + " is not known here");
    }
  }

 private:
  const onnx::AttributeProto* take(const char* name, onnx::AttributeProto::AttributeType type) {
    const auto found = left_.find(name);
    if (found == left_.end()) {
      return nullptr;
    }
    const onnx::AttributeProto* attribute = found->second;
    if (attribute->type() != type) {
      refuse(node_, std::string("the attribute ") + name + " is of another type");
    }
    left_.erase(found);
    return attribute;
  }

  const onnx::NodeProto& node_;
  std::unordered_map<std::string, const onnx::AttributeProto*> left_;
};

Tensors convolution(const onnx::NodeProto& node, const Tensors& in, Attributes& attributes) {
  const Sizes kernel{in[1].size(2), in[1].size(3)};
  const Sizes pads = attributes.integers("pads", {0, 0, 0, 0});
  const Sizes strides = attributes.integers("strides", {1, 1});
  const std::int64_t groups = attributes.integer("group", 1);
  if (attributes.integers("kernel_shape", kernel) != kernel || pads.size() != 4 ||
      pads[0] != pads[2] || pads[1] != pads[3]) {
    refuse(node, "kernel_shape or pads are not supported");
  }
  return {at::conv2d(in[0], in[1], in.size() > 2 ? in[2] : at::Tensor(), strides,
                     {pads[0], pads[1]}, at::IntArrayRef{1, 1}, groups)};
}

Tensors split(const onnx::NodeProto& node, const Tensors& in, Attributes& attributes) {
  return in[0].chunk(node.output_size(), attributes.integer("axis", 0));
}

Tensors gemm(const onnx::NodeProto& node, const Tensors& in, Attributes& attributes) {
  if (attributes.integer("transB", 0) != 1 || in.size() != 3) {
    refuse(node, "only x * transposed weight + bias is supported");
  }
  return {at::mm(in[0], in[1].t()) + in[2]};
}

Tensors flatten(const onnx::NodeProto& node, const Tensors& in, Attributes& attributes) {
  if (attributes.integer("axis", 1) != 1) {
    refuse(node, "only axis 1 is supported");
  }
  return {in[0].flatten(1)};
}

struct Operator {
  std::size_t least_inputs;
  std::size_t most_inputs;
  std::function<Tensors(const onnx::NodeProto&, const Tensors&, Attributes&)> compute;
};

/// An operator without attributes.
template <typename Function>
Operator plain(std::size_t inputs, Function function) {
  return {inputs, inputs, [function](const onnx::NodeProto&, const Tensors& in, Attributes&) {
            return Tensors{function(in)};
          }};
}

const Operator& operator_of(const onnx::NodeProto& node) {
  static const std::unordered_map<std::string, Operator> kOperators{
      {"Add", plain(2, [](const Tensors& in) { return in[0] + in[1]; })},
      {"Mul", plain(2, [](const Tensors& in) { return in[0] * in[1]; })},
      {"Div", plain(2, [](const Tensors& in) { return in[0] / in[1]; })},
      {"Erf", plain(1, [](const Tensors& in) { return at::erf(in[0]); })},
      {"Relu", plain(1, [](const Tensors& in) { return at::relu(in[0]); })},
      {"Sigmoid", plain(1, [](const Tensors& in) { return at::sigmoid(in[0]); })},
      {"GlobalAveragePool", plain(1,
                                  [](const Tensors& in) {
                                    return in[0].mean({2, 3}, true);
                                  })},
      {"Conv", {2, 3, convolution}},
      {"Split", {1, 1, split}},
      {"Gemm", {3, 3, gemm}},
      {"Flatten", {1, 1, flatten}}};
  const auto found = kOperators.find(node.op_type());
  if (found == kOperators.end() || !node.domain().empty()) {
    refuse(node, "the operator is not known here");
  }
  return found->second;
}

at::Tensor tensor_of(const onnx::TensorProto& stored) {
  const Sizes sizes(stored.dims().begin(), stored.dims().end());
  if (stored.data_type() != onnx::TensorProto::FLOAT) {
    throw std::runtime_error("ONNX tensor " + stored.name() + " is not float32");
  }
  at::Tensor tensor = at::empty(sizes, at::kFloat);
  if (stored.raw_data().size() != tensor.nbytes()) {
    throw std::runtime_error("ONNX tensor " + stored.name() + " has not as many bytes as it says");
  }
  std::memcpy(tensor.mutable_data_ptr(), stored.raw_data().data(), tensor.nbytes());
  return tensor;
}

/// The graph's values by name, each for as long as some node still takes it.
class Values {
 public:
  explicit Values(const onnx::GraphProto& graph) {
    for (const onnx::NodeProto& node : graph.node()) {
      for (const std::string& input : node.input()) {
        ++uses_[input];
      }
    }
    for (const onnx::TensorProto& stored : graph.initializer()) {
      put(stored.name(), tensor_of(stored));
    }
  }

  void put(const std::string& name, at::Tensor value) { values_[name] = std::move(value); }
  at::Tensor take(const std::string& name) {
    const auto found = values_.find(name);
    if (found == values_.end()) {
      throw std::runtime_error("ONNX graph: nothing makes the value " + name);
    }
    at::Tensor value = found->second;
    if (--uses_[name] == 0) {
      values_.erase(found);
    }
    return value;
  }

 private:
  std::unordered_map<std::string, at::Tensor> values_;
  std::unordered_map<std::string, int> uses_;
};

/// Fixed dimensions must be the input's; free ones may be anything.
void check_input(const onnx::ValueInfoProto& declared, const at::Tensor& input) {
  const onnx::TensorShapeProto& shape = declared.type().tensor_type().shape();
  bool fits = input.dim() == shape.dim_size();
  for (int i = 0; fits && i < shape.dim_size(); ++i) {
    fits = !shape.dim(i).has_dim_value() || shape.dim(i).dim_value() == input.size(i);
  }
  if (!fits) {
    throw std::runtime_error("ONNX input " + declared.name() + " is declared with another shape");
  }
}

}  // namespace

at::Tensor run_onnx(const onnx::ModelProto& model, const at::Tensor& input) {
  const at::NoGradGuard no_grad;
  const onnx::GraphProto& graph = model.graph();
  if (graph.input_size() != 1 || graph.output_size() != 1) {
    throw std::runtime_error("ONNX graph: one input and one output are needed");
  }
  check_input(graph.input(0), input);
  Values values(graph);
  values.put(graph.input(0).name(), input.contiguous());
  for (const onnx::NodeProto& node : graph.node()) {
    const Operator& operation = operator_of(node);
    Tensors inputs;
    for (const std::string& name : node.input()) {
      inputs.push_back(values.take(name));
    }
    if (inputs.size() < operation.least_inputs || inputs.size() > operation.most_inputs) {
      refuse(node, "it takes another number of inputs");
    }
    Attributes attributes(node);
    const Tensors outputs = operation.compute(node, inputs, attributes);
    attributes.finish();
    if (outputs.size() != static_cast<std::size_t>(node.output_size())) {
      refuse(node, "it gives another number of outputs");
    }
    for (int i = 0; i < node.output_size(); ++i) {
      values.put(node.output(i), outputs[static_cast<std::size_t>(i)]);
    }
  }
  return values.take(graph.output(0).name());
}

}  // namespace casvit::trainer
