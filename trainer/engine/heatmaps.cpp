#include "trainer/engine/heatmaps.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>
#include <string>

#include "dataio/error.h"
#include "dataio/image/jpeg_encode.h"
#include "dataio/image/resize.h"
#include "trainer/engine/heat_overlay.h"
#include "trainer/model/attention_maps.h"
#include "trainer/report/heatmap_choice.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

constexpr std::size_t kMistakes = 4;
constexpr std::size_t kRightAnswers = 2;

/// `[size, size, 3]`, or nothing where the picture cannot be read.
std::optional<at::Tensor> read_picture(const dataio::Dataset& data, std::uint64_t sample,
                                       const dataio::EvalTransformOptions& transform) {
  at::Tensor pixels = at::empty({transform.image_size, transform.image_size, 3}, at::kFloat);
  try {
    std::vector<std::uint8_t> scratch;
    dataio::eval_transform(data.decode(sample, scratch), transform,
                           pixels.mutable_data_ptr<float>());
  } catch (const dataio::InputError&) {
    return std::nullopt;  // the gallery of mistakes says so in its place
  }
  return pixels;
}

/// Normalised pixels as the picture that they were, in the page's size.
dataio::Image small_picture(const at::Tensor& pixels, const dataio::Normalization& normalization) {
  const auto constants = [](const std::array<float, 3>& of_channels) {
    return at::tensor(at::ArrayRef<float>(of_channels.data(), of_channels.size()));
  };
  const at::Tensor levels = pixels.mul(constants(normalization.std))
                                .add(constants(normalization.mean))
                                .mul(255)
                                .round()
                                .clamp(0, 255)
                                .to(at::kByte)
                                .contiguous();
  dataio::Image picture{static_cast<int>(levels.size(0)), static_cast<int>(levels.size(1)), {}};
  const auto* bytes = levels.const_data_ptr<std::uint8_t>();
  picture.pixels.assign(bytes, bytes + levels.numel());
  dataio::Image small;
  dataio::resize(picture, kThumbnailSide, kThumbnailSide, dataio::Interpolation::kBicubic, small);
  return small;
}

Heatmap::Panel panel(const std::string& caption, const dataio::Image& picture) {
  constexpr int kQuality = 85;
  const std::vector<std::uint8_t> bytes = dataio::encode_jpeg(picture, kQuality);
  return {caption, {"image/jpeg", {bytes.begin(), bytes.end()}, ""}};
}

/// Makes the panels of one picture.
class Panels {
 public:
  explicit Panels(dataio::Image picture) : picture_(std::move(picture)) {
    panels_.push_back(panel("the picture as the network gets it", picture_));
  }

  void add(const std::string& caption, const at::Tensor& map, double lowest, double highest) {
    panels_.push_back(panel(caption, heat_overlay(picture_, map, lowest, highest)));
  }

  std::vector<Heatmap::Panel> take() { return std::move(panels_); }

 private:
  dataio::Image picture_;
  std::vector<Heatmap::Panel> panels_;
};

/// Grad-CAM for the answer, then for the class to compare it with, on one scale.
void add_evidence(const Rcvit::Observation& seen, const Evaluation& evaluation, std::size_t i,
                  Panels& panels) {
  const auto top_k = static_cast<std::size_t>(evaluation.top_k);
  const std::int32_t answer = evaluation.top[i * top_k];
  const auto evidence = [&](std::int32_t c) {
    const at::Tensor classes = at::full({1}, c, seen.logits.options().dtype(at::kLong));
    return grad_cam(seen, classes).squeeze(0).to(at::kCPU);
  };
  const at::Tensor for_answer = evidence(answer);
  auto highest = for_answer.max().item<double>();
  std::optional<at::Tensor> for_other;
  const bool is_right = answer == evaluation.label[i];
  if (!is_right) {
    for_other = evidence(evaluation.label[i]);
  } else if (top_k > 1) {
    for_other = evidence(evaluation.top[i * top_k + 1]);
  }
  if (for_other) {
    highest = std::max(highest, for_other->max().item<double>());
  }
  panels.add("evidence for its answer", for_answer, 0, highest);
  if (for_other) {
    panels.add(is_right ? "evidence for its second guess" : "evidence for the true class",
               *for_other, 0, highest);
  }
}

/// The last block of each stage but the first, whose gates follow the grain of the picture.
std::vector<BlockPlace> shown_blocks(const RcvitOptions& options) {
  std::vector<BlockPlace> places;
  for (std::size_t stage = 1; stage < options.layers.size(); ++stage) {
    places.push_back({stage, static_cast<std::size_t>(options.layers[stage]) - 1});
  }
  return places;
}

void add_gates(const Rcvit::Observation& seen, const std::vector<BlockPlace>& blocks,
               Panels& panels) {
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const at::Tensor map = spatial_gate_map(seen.gates[i]).squeeze(0).to(at::kCPU);
    const auto lowest = map.min().item<double>();
    const auto highest = map.max().item<double>();
    panels.add(
        formatted("stage %zu: spatial gate, %.2f to %.2f", blocks[i].stage + 1, lowest, highest),
        map, lowest, highest);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const at::Tensor map = selected_response_map(seen.gates[i]).squeeze(0).to(at::kCPU);
    panels.add(formatted("stage %zu: selected channels", blocks[i].stage + 1), map,
               map.min().item<double>(), map.max().item<double>());
  }
}

}  // namespace

std::vector<Heatmap> heatmaps(const Rcvit& model, const Evaluation& evaluation,
                              const dataio::Dataset& data,
                              const dataio::EvalTransformOptions& transform) {
  const at::Device device = model.state().parameters().device();
  const std::vector<BlockPlace> blocks = shown_blocks(model.options());
  std::vector<Heatmap> found;
  for (const std::size_t i : choose_for_heatmaps(evaluation, kMistakes, kRightAnswers)) {
    const std::uint64_t sample = evaluation.sample[i];
    const std::optional<at::Tensor> pixels = read_picture(data, sample, transform);
    if (!pixels) {
      continue;
    }
    const at::Tensor images = pixels->permute({2, 0, 1}).unsqueeze(0).to(device);
    const Rcvit::Observation seen = model.observe(images, blocks);
    Panels panels(small_picture(*pixels, transform.normalization));
    add_evidence(seen, evaluation, i, panels);
    add_gates(seen, blocks, panels);
    found.push_back({sample, panels.take()});
  }
  return found;
}

}  // namespace casvit::trainer
