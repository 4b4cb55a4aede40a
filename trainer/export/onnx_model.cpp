#include "trainer/export/onnx_model.h"

#include <ATen/ATen.h>

#include <cstddef>

#include "trainer/export/fold_batch_norm.h"
#include "trainer/export/onnx_graph.h"

namespace casvit::trainer {
namespace {

using Value = OnnxGraph::Value;

/// The layers of trainer/model/layers.h, each as its nodes, named after the official modules.
class RcvitGraph {
 public:
  RcvitGraph(const Rcvit& model, OnnxGraph& graph)
      : options_(model.options()), state_(model.state()), graph_(graph) {}

  Value whole(const Value& input) {
    Value x = stem(input);
    for (std::size_t stage = 0; stage < options_.layers.size(); ++stage) {
      const int dim = options_.embed_dims[stage];
      for (int index = 0; index < options_.layers[stage]; ++index) {
        x = block("network." + std::to_string(2 * stage) + "." + std::to_string(index), x, dim);
      }
      if (stage + 1 < options_.layers.size()) {
        x = embedding("network." + std::to_string(2 * stage + 1), x);
      }
    }
    return heads(x);
  }

 private:
  Value stem(const Value& input) {
    Value x = input;
    for (const auto& [convolution, norm, activation] :
         {std::array{"patch_embed.0", "patch_embed.1", "patch_embed.2"},
          std::array{"patch_embed.3", "patch_embed.4", "patch_embed.5"}}) {
      x = graph_.convolution(convolution, x, before(convolution, norm), 2, 1, 1);
      x = graph_.node("Relu", activation, {x});
    }
    return x;
  }

  Value embedding(const std::string& name, const Value& x) {
    return graph_.convolution(name + ".proj", x, before(name + ".proj", name + ".norm"), 2, 1, 1);
  }

  Value block(const std::string& name, const Value& x, int dim) {
    const Value local = local_integration(name + ".local_perception", x, dim);
    const Value y = graph_.node("Add", name + ".local_sum", {x, local});
    const Value mixed = mixer(name + ".attn", name + ".norm1", y, dim);
    const Value z = graph_.node("Add", name + ".attn_sum", {y, mixed});
    return graph_.node("Add", name + ".mlp_sum", {z, mlp(name + ".mlp", name + ".norm2", z)});
  }

  Value local_integration(const std::string& name, const Value& x, int dim) {
    const std::string network = name + ".network";
    Value y =
        graph_.convolution(network + ".0", x, before(network + ".0", network + ".1"), 1, 0, 1);
    y = graph_.convolution(network + ".2", y, plain(network + ".2"), 1, 1, dim);
    y = graph_.gelu(network + ".3", y);
    return graph_.convolution(network + ".4", y, plain(network + ".4"), 1, 0, 1);
  }

  Value mixer(const std::string& name, const std::string& norm, const Value& x, int dim) {
    const Value qkv = graph_.convolution(name + ".qkv", x, after(norm, name + ".qkv"), 1, 0, 1);
    const OnnxGraph::Values parts = graph_.split_channels(name + ".chunk", qkv, 3);
    const Value query = gate(name + ".oper_q", parts[0], dim);
    const Value key = gate(name + ".oper_k", parts[1], dim);
    const Value sum = graph_.node("Add", name + ".sum", {query, key});
    const Value context = graph_.convolution(name + ".dwc", sum, plain(name + ".dwc"), 1, 1, dim);
    const Value product = graph_.node("Mul", name + ".product", {context, parts[2]});
    return graph_.convolution(name + ".proj", product, plain(name + ".proj"), 1, 1, dim);
  }

  Value gate(const std::string& name, const Value& x, int dim) {
    const std::string spatial = name + ".0.block";
    Value gate =
        graph_.convolution(spatial + ".0", x, before(spatial + ".0", spatial + ".1"), 1, 1, dim);
    gate = graph_.node("Relu", spatial + ".2", {gate});
    gate = graph_.convolution(spatial + ".3", gate, plain(spatial + ".3"), 1, 0, 1);
    gate = graph_.node("Sigmoid", spatial + ".4", {gate});
    const Value gated = graph_.node("Mul", name + ".0", {x, gate});

    const std::string channel = name + ".1.block";
    gate = graph_.node("GlobalAveragePool", channel + ".0", {gated});
    gate = graph_.convolution(channel + ".1", gate, plain(channel + ".1"), 1, 0, 1);
    gate = graph_.node("Sigmoid", channel + ".2", {gate});
    return graph_.node("Mul", name + ".1", {gated, gate});
  }

  Value mlp(const std::string& name, const std::string& norm, const Value& x) {
    Value y = graph_.convolution(name + ".fc1", x, after(norm, name + ".fc1"), 1, 0, 1);
    y = graph_.gelu(name + ".act", y);
    return graph_.convolution(name + ".fc2", y, plain(name + ".fc2"), 1, 0, 1);
  }

  /// The last norm is the same for each pixel, so that it may as well come after their mean.
  Value heads(const Value& x) {
    const Value pooled = graph_.node("GlobalAveragePool", "pool", {x});
    LayerWeights head = plain("head");
    if (options_.distillation) {
      const LayerWeights second = plain("dist_head");
      head = {(head.weight + second.weight) / 2, (head.bias + second.bias) / 2};
    }
    return graph_.linear("head", graph_.flatten("flatten", pooled),
                         fold_into_layer_after(channel_scale(state_, "norm"), head), "logits");
  }

  LayerWeights plain(const std::string& layer) const { return layer_weights(state_, layer); }
  LayerWeights before(const std::string& layer, const std::string& norm) const {
    return fold_into_layer_before(plain(layer), channel_scale(state_, norm));
  }
  LayerWeights after(const std::string& norm, const std::string& layer) const {
    return fold_into_layer_after(channel_scale(state_, norm), plain(layer));
  }

  const RcvitOptions& options_;
  const ModelState& state_;
  OnnxGraph& graph_;
};

}  // namespace

onnx::ModelProto onnx_model(const Rcvit& model, const std::map<std::string, std::string>& metadata,
                            const std::string& description) {
  onnx::ModelProto proto;
  proto.set_ir_version(kOnnxIrVersion);
  proto.set_producer_name("casvit");
  proto.set_producer_version(CASVIT_VERSION);
  proto.set_doc_string(description);
  onnx::OperatorSetIdProto& opset = *proto.add_opset_import();
  opset.set_domain("");
  opset.set_version(kOnnxOpset);
  for (const auto& [key, value] : metadata) {
    onnx::StringStringEntryProto& entry = *proto.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  onnx::GraphProto& graph = *proto.mutable_graph();
  graph.set_name("casvit");
  OnnxGraph nodes(graph);
  const Value input = nodes.input("input", {"batch", "3", "height", "width"});
  const Value logits = RcvitGraph(model, nodes).whole(input);
  nodes.output(logits, {"batch", std::to_string(model.options().num_classes)});
  return proto;
}

}  // namespace casvit::trainer
