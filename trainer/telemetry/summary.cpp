#include "trainer/telemetry/summary.h"

#include <bit>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>

// Fields and numbers: tensorboard/compat/proto/{summary,tensor,tensor_shape,types}.proto. Images,
// histograms and texts are in the form of TensorBoard's summary_v2.py: a tensor, and metadata that
// name the plugin.

namespace casvit::trainer {
namespace {

constexpr int kFloat = 1;
constexpr int kDouble = 2;
constexpr int kString = 7;

enum class DataClass { kTensor = 2, kBlobSequence = 3 };

WireMessage shape(std::initializer_list<std::int64_t> sizes) {
  WireMessage out;
  for (const std::int64_t size : sizes) out.message(2, WireMessage().varint(1, size));
  return out;
}

WireMessage tensor(int type, std::initializer_list<std::int64_t> sizes) {
  return WireMessage().varint(1, type).message(2, shape(sizes));
}

WireMessage metadata(std::string_view plugin, std::string_view content, DataClass data_class) {
  return WireMessage()
      .message(1, WireMessage().bytes(1, plugin).bytes(2, content))
      .varint(4, static_cast<int>(data_class));
}

WireMessage value(std::string_view tag, const WireMessage& tensor, const WireMessage& metadata) {
  return WireMessage().bytes(1, tag).message(8, tensor).message(9, metadata);
}

constexpr std::size_t kPngHead = 24;

/// A big-endian number of a PNG's header, in decimal.
std::string png_number(std::string_view png, std::size_t at) {
  std::uint32_t number = 0;
  for (const char byte : png.substr(at, 4))
    number = number << 8U | static_cast<unsigned char>(byte);
  return std::to_string(number);
}

}  // namespace

Summary& Summary::scalar(std::string_view tag, double value) {
  values_.message(1, WireMessage().bytes(1, tag).float32(2, static_cast<float>(value)));
  return *this;
}

Summary& Summary::image(std::string_view tag, std::string_view png) {
  if (!png.starts_with("\x89PNG\r\n\x1a\n") || png.size() < kPngHead) {
    throw std::invalid_argument("a picture for TensorBoard is no PNG");
  }
  WireMessage picture = tensor(kString, {3});
  picture.bytes(8, png_number(png, 16)).bytes(8, png_number(png, 20)).bytes(8, png);
  values_.message(1, value(tag, picture, metadata("images", "", DataClass::kBlobSequence)));
  return *this;
}

Summary& Summary::histogram(std::string_view tag, std::span<const HistogramBin> bins) {
  WireMessage table = tensor(kDouble, {static_cast<std::int64_t>(bins.size()), 3});
  std::string content;
  for (const HistogramBin& bin : bins) {
    for (const double number : {bin.left, bin.right, bin.count}) {
      append_little_endian(content, std::bit_cast<std::uint64_t>(number), 8);
    }
  }
  table.bytes(4, content);
  values_.message(1, value(tag, table, metadata("histograms", "", DataClass::kTensor)));
  return *this;
}

Summary& Summary::text(std::string_view tag, std::string_view markdown) {
  WireMessage words = tensor(kString, {1});
  words.bytes(8, markdown);
  values_.message(1, value(tag, words, metadata("text", "", DataClass::kTensor)));
  return *this;
}

Summary& Summary::hparams(std::string_view tag, const WireMessage& content) {
  values_.message(1, value(tag, tensor(kFloat, {0}),
                           metadata("hparams", content.encoded(), DataClass::kTensor)));
  return *this;
}

}  // namespace casvit::trainer
