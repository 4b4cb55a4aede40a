// Reads every sample of packed files in every way that training and evaluation do. Each gives a
// picture or an InputError, and none an error where the whole picture decodes. Run by
// hostile_pictures.py; prints how many decode and how many do not.
//
//   read_every_sample FILE...

#include <cstdio>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "dataio/augment/transform.h"
#include "dataio/container/dataset.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

constexpr std::uint64_t kEpochs = 5;
/// At 384 pictures are warped to a square, whatever their sides.
constexpr int kEvaluationSizes[] = {32, 384};

/// Whether it gives a picture. @throws anything but an InputError
bool gives_a_picture(const std::function<void()>& read) {
  try {
    read();
    return true;
  } catch (const InputError&) {
    return false;
  }
}

class Reading {
 public:
  explicit Reading(const std::vector<std::string>& files) : dataset_(files) {}

  /// @returns the number of samples that decode.
  std::uint64_t read_all() {
    std::uint64_t whole = 0;
    for (std::uint64_t sample = 0; sample < dataset_.size(); ++sample) {
      const bool is_whole =
          gives_a_picture([&] { static_cast<void>(dataset_.decode(sample, bytes_)); });
      const bool is_readable = read_as_training_does(sample);
      if (is_whole && !is_readable) {
        throw std::logic_error("sample " + std::to_string(sample) +
                               " decodes and cannot be trained on");
      }
      whole += is_whole ? 1 : 0;
    }
    return whole;
  }

  std::uint64_t size() const { return dataset_.size(); }

 private:
  bool read_as_training_does(std::uint64_t sample) {
    const PictureSource picture = {
        dataset_.height(sample), dataset_.width(sample), [this, sample](const PixelBox& region) {
          return dataset_.decode_region(sample, bytes_, region, decoded_);
        }};
    dataset_.read(sample, bytes_);
    bool all = true;
    for (std::uint64_t epoch = 0; epoch < kEpochs; ++epoch) {
      TrainTransformOptions options;
      options.image_size = 32;
      all &= gives_a_picture([&] {
        train_transform(picture, options, {.seed = 1, .epoch = epoch, .sample = sample}, transform_,
                        place_for(options.image_size));
      });
    }
    for (const int size : kEvaluationSizes) {
      EvalTransformOptions options;
      options.image_size = size;
      all &=
          gives_a_picture([&] { eval_transform(picture, options, transform_, place_for(size)); });
    }
    return all;
  }

  float* place_for(int size) {
    out_.assign(static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3, 0);
    return out_.data();
  }

  Dataset dataset_;
  std::vector<std::uint8_t> bytes_;
  DecodeScratch decoded_;
  TransformScratch transform_;
  std::vector<float> out_;
};

}  // namespace
}  // namespace casvit::dataio

int main(int argc, char** argv) {
  try {
    casvit::dataio::Reading reading({argv + 1, argv + argc});
    const auto whole = static_cast<unsigned long long>(reading.read_all());
    std::printf("{\"samples\": %llu, \"whole\": %llu}\n",
                static_cast<unsigned long long>(reading.size()), whole);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
