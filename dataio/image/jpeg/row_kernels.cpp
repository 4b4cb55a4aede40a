#include "dataio/image/jpeg/row_kernels.h"

#include <algorithm>

namespace casvit::dataio::jpeg {
namespace {

void blend_rows(const std::uint8_t* near, const std::uint8_t* far, std::size_t count,
                std::uint16_t* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint16_t>(3 * near[i] + far[i]);
}

void widen(const std::uint8_t* in, std::size_t count, std::uint16_t* out) {
  std::copy_n(in, count, out);
}

void double_columns(const std::uint16_t* in, std::size_t count, int bias_left, int bias_right,
                    int shift, std::uint8_t* out) {
  for (std::size_t i = 0; i < count; ++i, out += 2) {
    const int own = 3 * in[i];
    out[0] = static_cast<std::uint8_t>((own + *(in + i - 1) + bias_left) >> shift);
    out[1] = static_cast<std::uint8_t>((own + in[i + 1] + bias_right) >> shift);
  }
}

void narrow(const std::uint16_t* in, std::size_t count, int bias, std::uint8_t* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint8_t>((in[i] + bias) >> 2);
}

std::uint8_t clip8(int value) { return static_cast<std::uint8_t>(std::clamp(value, 0, 255)); }

void ycc_to_rgb(const std::uint8_t* y, const std::uint8_t* cb, const std::uint8_t* cr,
                std::size_t count, std::uint8_t* rgb) {
  // jdcolor.c, build_ycc_rgb_table: 1.402, 1.772, 0.34414 and 0.71414 with 16 bits after the point.
  constexpr int kHalf = 1 << 15;
  for (std::size_t i = 0; i < count; ++i, rgb += 3) {
    const int blue = cb[i] - 128;
    const int red = cr[i] - 128;
    rgb[0] = clip8(y[i] + ((91881 * red + kHalf) >> 16));
    rgb[1] = clip8(y[i] + ((-22554 * blue - 46802 * red + kHalf) >> 16));
    rgb[2] = clip8(y[i] + ((116130 * blue + kHalf) >> 16));
  }
}

void grey_to_rgb(const std::uint8_t* y, std::size_t count, std::uint8_t* rgb) {
  for (std::size_t i = 0; i < count; ++i, rgb += 3) rgb[0] = rgb[1] = rgb[2] = y[i];
}

constexpr RowKernels kPortable = {blend_rows, widen,      double_columns,
                                  narrow,     ycc_to_rgb, grey_to_rgb};

}  // namespace

const RowKernels& portable_row_kernels() { return kPortable; }

}  // namespace casvit::dataio::jpeg
