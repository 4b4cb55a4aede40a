#include "trainer/model/rcvit.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "trainer/error.h"

namespace casvit::trainer {
namespace {

struct PublishedSize {
  const char* name;
  std::array<int, 4> layers;
  std::array<int, 4> embed_dims;
};

constexpr std::array<PublishedSize, 4> kPublishedSizes{{
    {"rcvit_xs", {2, 2, 4, 2}, {48, 56, 112, 220}},
    {"rcvit_s", {3, 3, 6, 3}, {48, 64, 128, 256}},
    {"rcvit_m", {3, 3, 6, 3}, {64, 96, 192, 384}},
    {"rcvit_t", {3, 3, 6, 3}, {96, 128, 256, 512}},
}};

/// `network` holds stages at even and downsampling embeddings at odd places.
std::string network_name(std::size_t place) { return "network." + std::to_string(place); }

at::Tensor pooled(const at::Tensor& x) { return x.mean({2, 3}); }

}  // namespace

const std::vector<std::string>& rcvit_names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> result;
    result.reserve(kPublishedSizes.size());
    for (const PublishedSize& size : kPublishedSizes) {
      result.emplace_back(size.name);
    }
    return result;
  }();
  return kNames;
}

RcvitOptions rcvit_options(const std::string& name) {
  for (const PublishedSize& size : kPublishedSizes) {
    if (name == size.name) {
      RcvitOptions options;
      options.layers = size.layers;
      options.embed_dims = size.embed_dims;
      return options;
    }
  }
  throw ConfigError("model.name: there is no model \"" + name +
                    "\"; use rcvit_xs, rcvit_s, rcvit_m or rcvit_t");
}

std::vector<TensorSpec> rcvit_tensors(const RcvitOptions& options) {
  std::vector<TensorSpec> specs;
  Stem::describe(specs, options.embed_dims[0]);
  for (std::size_t i = 0; i < options.layers.size(); ++i) {
    const int dim = options.embed_dims[i];
    for (int block = 0; block < options.layers[i]; ++block) {
      AdditiveBlock::describe(specs, network_name(2 * i) + "." + std::to_string(block), dim,
                              options.mlp_ratio);
    }
    if (i + 1 < options.layers.size()) {
      Embedding::describe(specs, network_name(2 * i + 1), dim, options.embed_dims[i + 1]);
    }
  }
  if (options.features_only) {
    for (std::size_t i = 0; i < options.layers.size(); ++i) {
      BatchNorm::describe(specs, "norm" + std::to_string(2 * i), options.embed_dims[i]);
    }
    return specs;
  }
  BatchNorm::describe(specs, "norm", options.embed_dims.back());
  Linear::describe(specs, "head", options.embed_dims.back(), options.num_classes);
  if (options.distillation) {
    Linear::describe(specs, "dist_head", options.embed_dims.back(), options.num_classes);
  }
  return specs;
}

Rcvit::Rcvit(const RcvitOptions& options, at::ScalarType type, at::Device device)
    : options_(options), state_(rcvit_tensors(options), type, device), stem_(state_) {
  const int blocks = std::accumulate(options.layers.begin(), options.layers.end(), 0);
  int block_number = 0;
  for (std::size_t i = 0; i < options.layers.size(); ++i) {
    Stage stage;
    for (int block = 0; block < options.layers[i]; ++block, ++block_number) {
      const double rate = options.drop_path * block_number / (blocks - 1);
      stage.blocks.emplace_back(state_, network_name(2 * i) + "." + std::to_string(block),
                                options.embed_dims[i], rate);
    }
    if (i + 1 < options.layers.size()) {
      stage.downsample.emplace(state_, network_name(2 * i + 1));
    }
    stages_.push_back(std::move(stage));
    if (options.features_only) {
      feature_norms_.emplace_back(state_, "norm" + std::to_string(2 * i));
    }
  }
  if (!options.features_only) {
    norm_ = BatchNorm(state_, "norm");
    head_ = Linear(state_, "head");
    if (options.distillation) {
      distillation_head_ = Linear(state_, "dist_head");
    }
  }
}

at::Tensor Rcvit::forward_stages(const at::Tensor& images, const BatchNormPass& pass,
                                 DropPathDraws* drop_path, const Taps& taps) const {
  at::Tensor x = stem_(images, pass);
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    const std::vector<AdditiveBlock>& blocks = stages_[i].blocks;
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      x = blocks[b](x, pass, drop_path, taps.gates ? taps.gates({i, b}) : nullptr);
    }
    if (taps.features != nullptr) {
      taps.features->push_back(feature_norms_[i](x, pass));
    }
    if (stages_[i].downsample) {
      x = (*stages_[i].downsample)(x, pass);
    }
  }
  return x;
}

Rcvit::Output Rcvit::forward_training(const at::Tensor& images, const TrainingPass& pass) {
  const BatchNormPass batch_norm{pass.batch_statistics, pass.batch_norm_ranks,
                                 pass.frozen_batch_norms};
  DropPathDraws drop_path(pass.seed, pass.step, pass.shard, pass.drop_path_factor);
  const at::Tensor x = forward_stages(images, batch_norm, &drop_path, {});
  const at::Tensor feature = pooled(norm_(x, batch_norm));
  Output output;
  output.logits = head_(feature);
  if (options_.distillation) {
    output.distillation = distillation_head_(feature);
  }
  return output;
}

at::Tensor Rcvit::classify(const at::Tensor& last_stage) const {
  const at::Tensor feature = pooled(norm_(last_stage, BatchNormPass{}));
  const at::Tensor logits = head_(feature);
  return options_.distillation ? (logits + distillation_head_(feature)) / 2 : logits;
}

at::Tensor Rcvit::forward(const at::Tensor& images) const {
  const at::NoGradGuard no_grad;
  return classify(forward_stages(images, BatchNormPass{}, nullptr, {}));
}

Rcvit::Observation Rcvit::observe(const at::Tensor& images,
                                  const std::vector<BlockPlace>& blocks) const {
  if (options_.features_only) {
    throw ConfigError("observe needs a model with a classifier, not one made with features_only");
  }
  for (const BlockPlace& place : blocks) {
    if (place.stage >= stages_.size() || place.block >= stages_[place.stage].blocks.size()) {
      throw ConfigError("the model has no block " + std::to_string(place.block) + " in stage " +
                        std::to_string(place.stage) + " (both counted from 0)");
    }
  }
  Observation seen;
  seen.gates.resize(blocks.size());
  Taps taps;
  taps.gates = [&](const BlockPlace& place) {
    const auto found = std::ranges::find(blocks, place);
    return found == blocks.end() ? nullptr
                                 : &seen.gates[static_cast<std::size_t>(found - blocks.begin())];
  };
  {
    const at::NoGradGuard no_grad;
    seen.last_stage = forward_stages(images, BatchNormPass{}, nullptr, taps);
  }
  const at::AutoGradMode with_gradients(true);
  seen.last_stage.requires_grad_(true);
  seen.logits = classify(seen.last_stage);
  return seen;
}

std::vector<at::Tensor> Rcvit::forward_features(const at::Tensor& images) const {
  if (!options_.features_only) {
    throw ConfigError("forward_features needs a model made with features_only");
  }
  std::vector<at::Tensor> features;
  forward_stages(images, BatchNormPass{}, nullptr, {&features});
  return features;
}

}  // namespace casvit::trainer
