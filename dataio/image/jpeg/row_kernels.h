#pragma once

#include <cstddef>
#include <cstdint>

namespace casvit::dataio::jpeg {

/// The loops that turn planes into a row of RGB, with libjpeg's rounding (jdsample.c, jdcolor.c).
/// All implementations give the same bits.
struct RowKernels {
  /// out = 3 * near + far: what stands between two rows of samples, times 4.
  void (*blend_rows)(const std::uint8_t* near, const std::uint8_t* far, std::size_t count,
                     std::uint16_t* out);
  /// out = in
  void (*widen)(const std::uint8_t* in, std::size_t count, std::uint16_t* out);
  /// Twice as wide: out[2i] = (3 in[i] + in[i - 1] + bias_left) >> shift and out[2i + 1] =
  /// (3 in[i] + in[i + 1] + bias_right) >> shift. `in[-1]` and `in[count]` exist.
  void (*double_columns)(const std::uint16_t* in, std::size_t count, int bias_left, int bias_right,
                         int shift, std::uint8_t* out);
  /// out = (in + bias) >> 2
  void (*narrow)(const std::uint16_t* in, std::size_t count, int bias, std::uint8_t* out);
  /// YCbCr to RGB. kRowSlack bytes behind the inputs are readable.
  void (*ycc_to_rgb)(const std::uint8_t* y, const std::uint8_t* cb, const std::uint8_t* cr,
                     std::size_t count, std::uint8_t* rgb);
  /// Grey to RGB. kRowSlack bytes behind the input are readable.
  void (*grey_to_rgb)(const std::uint8_t* y, std::size_t count, std::uint8_t* rgb);
};

/// Bytes behind a row that kernels may read, and write behind a row of samples.
inline constexpr std::size_t kRowSlack = 64;

const RowKernels& portable_row_kernels();
#if defined(__x86_64__)
const RowKernels& avx2_row_kernels();
#endif

}  // namespace casvit::dataio::jpeg
