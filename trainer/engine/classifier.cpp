#include "trainer/engine/classifier.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <tuple>

#include "dataio/error.h"
#include "dataio/image/decode.h"
#include "dataio/image/orientation.h"
#include "dataio/image/upright.h"
#include "trainer/checkpoint/input_file.h"

namespace casvit::trainer {

Classifier::Classifier(const std::string& path, WeightsChoice use,
                       const std::vector<Override>& overrides)
    : loaded_(load_model(path, use, overrides)), transform_(loaded_.transform()) {}

std::vector<Classifier::Guess> Classifier::classify(std::span<const std::uint8_t> picture,
                                                    int count) const {
  dataio::Image image = dataio::decode_image(picture);
  if (loaded_.description.config.data.apply_orientation) {
    image = dataio::upright(image, dataio::read_orientation(picture));
  }
  const std::int64_t size = transform_.image_size;
  const at::Tensor input = at::empty({1, size, size, 3}, at::kFloat);
  dataio::eval_transform(image, transform_, input.mutable_data_ptr<float>());

  const at::Tensor logits = loaded_.model.forward(input.permute({0, 3, 1, 2}));
  const at::Tensor probabilities = at::softmax(logits[0].to(at::kDouble), 0);
  const auto [values, order] = at::sort(probabilities, /*stable=*/true, 0, /*descending=*/true);
  std::vector<Guess> guesses;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(count, order.numel()); ++i) {
    guesses.push_back(
        {loaded_.class_name(order[i].item<std::int64_t>()), values[i].item<double>()});
  }
  return guesses;
}

std::vector<Classifier::Guess> Classifier::classify_file(const std::string& path, int count) const {
  const InputFile file(path);
  std::vector<std::uint8_t> bytes(file.bytes());
  file.read(0, bytes.data(), bytes.size());
  try {
    return classify(bytes, count);
  } catch (const dataio::InputError& error) {
    throw dataio::InputError(path + ": " + error.what());
  }
}

}  // namespace casvit::trainer
