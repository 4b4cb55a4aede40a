#include "trainer/export/onnx_graph.h"

#include <ATen/ATen.h>

#include <cmath>
#include <stdexcept>

#include "trainer/checkpoint/safetensors.h"

namespace casvit::trainer {
namespace {

void describe(onnx::ValueInfoProto& info, const std::string& name,
              const std::vector<std::string>& dimensions) {
  info.set_name(name);
  onnx::TypeProto_Tensor& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  for (const std::string& dimension : dimensions) {
    onnx::TensorShapeProto_Dimension& entry = *type.mutable_shape()->add_dim();
    if (dimension.find_first_not_of("0123456789") == std::string::npos) {
      entry.set_dim_value(std::stoll(dimension));
    } else {
      entry.set_dim_param(dimension);
    }
  }
}

void set_integer(onnx::NodeProto& node, const char* name, std::int64_t value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

void set_integers(onnx::NodeProto& node, const char* name,
                  std::initializer_list<std::int64_t> values) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) {
    attribute.add_ints(value);
  }
}

}  // namespace

OnnxGraph::Value OnnxGraph::input(const std::string& name,
                                  const std::vector<std::string>& dimensions) {
  describe(*graph_.add_input(), name, dimensions);
  names_.insert(name);
  return name;
}

void OnnxGraph::output(const Value& value, const std::vector<std::string>& dimensions) {
  describe(*graph_.add_output(), value, dimensions);
}

OnnxGraph::Value OnnxGraph::initializer(const std::string& name, const at::Tensor& tensor) {
  const at::Tensor values = stored_form(tensor.to(at::kFloat));
  onnx::TensorProto& stored = *graph_.add_initializer();
  stored.set_name(name);
  stored.set_data_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t size : values.sizes()) {
    stored.add_dims(size);
  }
  // Little-endian, as raw_data is: so are all machines that LibTorch has builds for.
  stored.set_raw_data(values.const_data_ptr(), values.nbytes());
  names_.insert(name);
  return name;
}

OnnxGraph::Value OnnxGraph::number(const std::string& name, double value) {
  return names_.contains(name) ? name : initializer(name, at::scalar_tensor(value, at::kDouble));
}

onnx::NodeProto& OnnxGraph::add(const char* type, const std::string& name, const Values& inputs) {
  onnx::NodeProto& node = *graph_.add_node();
  node.set_op_type(type);
  node.set_name(name);
  for (const Value& input : inputs) {
    node.add_input(input);
  }
  return node;
}

OnnxGraph::Value OnnxGraph::add_output(onnx::NodeProto& node, const std::string& name) {
  if (!names_.insert(name).second) {
    throw std::logic_error("ONNX graph: the name " + name + " comes twice");
  }
  node.add_output(name);
  return name;
}

OnnxGraph::Value OnnxGraph::node(const char* type, const std::string& name, const Values& inputs) {
  return add_output(add(type, name, inputs), name);
}

OnnxGraph::Value OnnxGraph::convolution(const std::string& name, const Value& x,
                                        const LayerWeights& layer, std::int64_t stride,
                                        std::int64_t padding, std::int64_t groups) {
  Values inputs{x, initializer(name + ".weight", layer.weight)};
  if (layer.bias.defined()) {
    inputs.push_back(initializer(name + ".bias", layer.bias));
  }
  onnx::NodeProto& node = add("Conv", name, inputs);
  set_integers(node, "kernel_shape", {layer.weight.size(2), layer.weight.size(3)});
  set_integers(node, "strides", {stride, stride});
  set_integers(node, "pads", {padding, padding, padding, padding});
  set_integer(node, "group", groups);
  return add_output(node, name);
}

OnnxGraph::Value OnnxGraph::linear(const std::string& name, const Value& x,
                                   const LayerWeights& layer, const std::string& value) {
  onnx::NodeProto& node = add(
      "Gemm", name,
      {x, initializer(name + ".weight", layer.weight), initializer(name + ".bias", layer.bias)});
  set_integer(node, "transB", 1);
  return add_output(node, value);
}

OnnxGraph::Values OnnxGraph::split_channels(const std::string& name, const Value& x, int parts) {
  onnx::NodeProto& node = add("Split", name, {x});
  set_integer(node, "axis", 1);
  Values values;
  for (int part = 0; part < parts; ++part) {
    values.push_back(add_output(node, name + "." + std::to_string(part)));
  }
  return values;
}

OnnxGraph::Value OnnxGraph::flatten(const std::string& name, const Value& x) {
  onnx::NodeProto& node = add("Flatten", name, {x});
  set_integer(node, "axis", 1);
  return add_output(node, name);
}

OnnxGraph::Value OnnxGraph::gelu(const std::string& name, const Value& x) {
  const Value scaled = node("Div", name + ".scaled", {x, number("gelu.sqrt_2", std::sqrt(2.0))});
  const Value erf = node("Erf", name + ".erf", {scaled});
  const Value twice = node("Add", name + ".twice_phi", {erf, number("gelu.one", 1)});
  const Value product = node("Mul", name + ".product", {x, twice});
  return node("Mul", name, {product, number("gelu.half", 0.5)});
}

}  // namespace casvit::trainer
