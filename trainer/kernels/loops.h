#pragma once

#include <cstdint>

// Loops over plain memory, compiled once for any processor and once for AVX2 with FMA. No LibTorch.

namespace casvit::trainer::kernels {

/// Extents of an NHWC picture batch.
struct ImageExtents {
  std::int64_t images = 0, height = 0, width = 0, channels = 0;
  std::int64_t pixels() const { return height * width; }
};

/// One processor's versions of all loops.
struct Loops {
  /// y[i] = gelu(x[i])
  void (*gelu_forward)(const float* x, float* y, std::int64_t count);
  /// gx[i] = gy[i] * gelu'(x[i])
  void (*gelu_backward)(const float* x, const float* gy, float* gx, std::int64_t count);
  /// a[i] = gelu(h[i]), g[i] *= gelu'(h[i])
  void (*gelu_forward_backward)(const float* h, float* a, float* g, std::int64_t count);
  /// sums[c] += sum over rows of x `[rows, columns]`
  void (*add_column_sums)(const float* x, float* sums, std::int64_t rows, std::int64_t columns);

  /// Depthwise 3 x 3 convolution, stride 1, zero padding 1, of images [first, last).
  /// `taps` is `[3, 3, C]`, `bias` `[C]` or null.
  void (*depthwise_forward)(const ImageExtents& extents, const float* x, const float* taps,
                            const float* bias, float* y, std::int64_t first, std::int64_t last);
  /// Gradient of the taps `[3, 3, C]` and, added up, of the bias `[C]` (or null), for channels
  /// [first, last); first is a multiple of 8. Both are added to.
  void (*depthwise_weight_gradient)(const ImageExtents& extents, const float* x, const float* gy,
                                    float* taps, float* bias, std::int64_t first,
                                    std::int64_t last);

  /// The spatial gate of images [first, last): mask = sigmoid(sum_c w_c relu(z_c)) `[N, H W]`, and
  /// the mean over pixels of mask * x, `[N, C]`.
  void (*gate_pool)(const ImageExtents& extents, const float* x, const float* z,
                    const float* weight, float* mask, float* pooled, std::int64_t first,
                    std::int64_t last);
  /// y = x * mask * channel, `channel` `[N, C]`
  void (*gate_apply)(const ImageExtents& extents, const float* x, const float* mask,
                     const float* channel, float* y, std::int64_t first, std::int64_t last);
  /// channel_gradient `[N, C]` = sum over pixels of gy * x * mask
  void (*gate_channel_gradient)(const ImageExtents& extents, const float* x, const float* mask,
                                const float* gy, float* channel_gradient, std::int64_t first,
                                std::int64_t last);
  /// Gradients of x and z, and of the weight `[C]` (added to, by one thread at a time), from those
  /// of y and of the pooled means (`[N, C]`, already divided by the pixels).
  void (*gate_backward)(const ImageExtents& extents, const float* x, const float* z,
                        const float* weight, const float* mask, const float* channel,
                        const float* pooled_gradient, const float* gy, float* gx, float* gz,
                        float* weight_gradient, std::int64_t first, std::int64_t last);
};

/// Those that suit this processor best.
const Loops& loops();

namespace baseline {
extern const Loops kLoops;
}
#if defined(__x86_64__)
namespace avx2 {
extern const Loops kLoops;
}
#endif

}  // namespace casvit::trainer::kernels
