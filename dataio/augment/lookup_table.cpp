#include "dataio/augment/lookup_table.h"

#include <algorithm>
#include <array>

namespace casvit::dataio {
namespace {

using Table = std::array<std::uint8_t, 256>;
using Tables = std::array<Table, 3>;
using Histogram = std::array<std::int64_t, 256>;

Table identity() {
  Table table;
  for (int i = 0; i < 256; ++i) table[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(i);
  return table;
}

void apply(Image& image, const Tables& tables) {
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    for (std::size_t c = 0; c < 3; ++c) image.pixels[i + c] = tables[c][image.pixels[i + c]];
  }
}

void apply(Image& image, const Table& table) {
  for (std::uint8_t& byte : image.pixels) byte = table[byte];
}

std::array<Histogram, 3> histograms(const Image& image) {
  std::array<Histogram, 3> result{};
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    for (std::size_t c = 0; c < 3; ++c) ++result[c][image.pixels[i + c]];
  }
  return result;
}

Table auto_contrast_table(const Histogram& histogram) {
  int low = 0;
  while (low < 255 && histogram[static_cast<std::size_t>(low)] == 0) ++low;
  int high = 255;
  while (high > 0 && histogram[static_cast<std::size_t>(high)] == 0) --high;
  Table table = identity();
  if (high <= low) return table;
  const double scale = 255.0 / (high - low);
  const double offset = -low * scale;
  for (int i = 0; i < 256; ++i) {
    const int stretched = static_cast<int>(i * scale + offset);
    table[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(std::clamp(stretched, 0, 255));
  }
  return table;
}

Table equalize_table(const Histogram& histogram) {
  std::int64_t total = 0;
  std::int64_t last = 0;  // pixels of the highest value that occurs
  for (const std::int64_t pixels : histogram) {
    total += pixels;
    if (pixels != 0) last = pixels;
  }
  const std::int64_t step = (total - last) / 255;
  Table table = identity();
  if (step == 0) return table;
  std::int64_t sum = step / 2;
  for (std::size_t i = 0; i < 256; ++i) {
    table[i] = static_cast<std::uint8_t>(std::min<std::int64_t>(sum / step, 255));
    sum += histogram[i];
  }
  return table;
}

}  // namespace

void auto_contrast(Image& image) {
  const auto counts = histograms(image);
  apply(image, Tables{auto_contrast_table(counts[0]), auto_contrast_table(counts[1]),
                      auto_contrast_table(counts[2])});
}

void equalize(Image& image) {
  const auto counts = histograms(image);
  apply(image,
        Tables{equalize_table(counts[0]), equalize_table(counts[1]), equalize_table(counts[2])});
}

void invert(Image& image) {
  for (std::uint8_t& byte : image.pixels) byte = static_cast<std::uint8_t>(255 - byte);
}

void posterize(Image& image, int bits) {
  const auto mask = static_cast<std::uint8_t>(0xFF00 >> bits);
  for (std::uint8_t& byte : image.pixels) byte &= mask;
}

void solarize(Image& image, int threshold) {
  Table table = identity();
  for (int i = threshold; i < 256; ++i) {
    table[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(255 - i);
  }
  apply(image, table);
}

void solarize_add(Image& image, int amount) {
  constexpr int kThreshold = 128;
  Table table = identity();
  for (int i = 0; i < kThreshold; ++i) {
    table[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(std::min(255, i + amount));
  }
  apply(image, table);
}

}  // namespace casvit::dataio
