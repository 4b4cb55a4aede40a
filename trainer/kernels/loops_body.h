// The loops themselves, compiled once a processor: the including file names the namespace.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "trainer/kernels/loops.h"
#include "trainer/kernels/vector_math.h"

namespace casvit::trainer::kernels::CASVIT_LOOPS_NAMESPACE {
namespace {

void gelu_forward(const float* __restrict x, float* __restrict y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    y[i] = x[i] * normal(x[i]).distribution;
  }
}

void gelu_backward(const float* __restrict x, const float* __restrict gy, float* __restrict gx,
                   std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const Normal n = normal(x[i]);
    gx[i] = gy[i] * (n.distribution + x[i] * n.density);
  }
}

void gelu_forward_backward(const float* __restrict h, float* __restrict a, float* __restrict g,
                           std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float x = h[i];
    const Normal n = normal(x);
    a[i] = x * n.distribution;
    g[i] *= n.distribution + x * n.density;
  }
}

void add_column_sums(const float* __restrict x, float* __restrict sums, std::int64_t rows,
                     std::int64_t columns) {
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t c = 0; c < columns; ++c) {
      sums[c] += x[row * columns + c];
    }
  }
}

// ---- depthwise convolution -------------------------------------------------------------------
// Work goes row by row, and along a row in strips of kWidth channels whose nine taps stay in
// registers. Rows outside the picture are a row of zeros; the columns outside are left out.

template <int kWidth>
struct Strip {
  typedef float Vector __attribute__((vector_size(kWidth * sizeof(float)), aligned(4), may_alias));

  static Vector load(const float* p) { return *reinterpret_cast<const Vector*>(p); }
  static void store(float* p, Vector v) { *reinterpret_cast<Vector*>(p) = v; }

  /// One row of one strip. `rows` are the three input rows, at this strip's channel.
  static void forward_row(const std::array<const float*, 3>& rows, const float* taps,
                          const float* bias, float* y, std::int64_t width, std::int64_t channels) {
    Vector w[9];
    for (int tap = 0; tap < 9; ++tap) {
      w[tap] = load(taps + tap * channels);
    }
    const Vector start = bias != nullptr ? load(bias) : Vector{};
    for (std::int64_t x = 0; x < width; ++x) {
      const std::int64_t at = x * channels;
      Vector sum = start;
      for (int dy = 0; dy < 3; ++dy) {
        sum += load(rows[dy] + at) * w[3 * dy + 1];
      }
      if (x > 0) {
        for (int dy = 0; dy < 3; ++dy) {
          sum += load(rows[dy] + at - channels) * w[3 * dy];
        }
      }
      if (x + 1 < width) {
        for (int dy = 0; dy < 3; ++dy) {
          sum += load(rows[dy] + at + channels) * w[3 * dy + 2];
        }
      }
      store(y + at, sum);
    }
  }

  static void weight_gradient_row(const std::array<const float*, 3>& rows, const float* gy,
                                  float* taps, float* bias, std::int64_t width,
                                  std::int64_t channels) {
    Vector w[9] = {};
    Vector sum = {};
    for (std::int64_t x = 0; x < width; ++x) {
      const std::int64_t at = x * channels;
      const Vector g = load(gy + at);
      sum += g;
      for (int dy = 0; dy < 3; ++dy) {
        w[3 * dy + 1] += g * load(rows[dy] + at);
      }
      if (x > 0) {
        for (int dy = 0; dy < 3; ++dy) {
          w[3 * dy] += g * load(rows[dy] + at - channels);
        }
      }
      if (x + 1 < width) {
        for (int dy = 0; dy < 3; ++dy) {
          w[3 * dy + 2] += g * load(rows[dy] + at + channels);
        }
      }
    }
    for (int tap = 0; tap < 9; ++tap) {
      store(taps + tap * channels, load(taps + tap * channels) + w[tap]);
    }
    if (bias != nullptr) {
      store(bias, load(bias) + sum);
    }
  }
};

/// Calls `strip8`, `strip4` and `strip1` so that together they cover channels [first, last).
template <typename Visit>
inline __attribute__((always_inline)) void for_each_strip(std::int64_t first, std::int64_t last,
                                                          Visit visit) {
  std::int64_t c = first;
  for (; c + 8 <= last; c += 8) {
    visit(Strip<8>{}, c);
  }
  for (; c + 4 <= last; c += 4) {
    visit(Strip<4>{}, c);
  }
  for (; c < last; ++c) {
    visit(Strip<1>{}, c);
  }
}

std::array<const float*, 3> rows_around(const ImageExtents& e, const float* image, std::int64_t y,
                                        const float* zeros) {
  const std::int64_t row = e.width * e.channels;
  return {y > 0 ? image + (y - 1) * row : zeros, image + y * row,
          y + 1 < e.height ? image + (y + 1) * row : zeros};
}

std::array<const float*, 3> shifted(const std::array<const float*, 3>& rows, std::int64_t c) {
  return {rows[0] + c, rows[1] + c, rows[2] + c};
}

void depthwise_forward(const ImageExtents& e, const float* x, const float* taps, const float* bias,
                       float* y, std::int64_t first, std::int64_t last) {
  const std::vector<float> zeros(static_cast<std::size_t>(e.width * e.channels));
  for (std::int64_t n = first; n < last; ++n) {
    const float* image = x + n * e.pixels() * e.channels;
    for (std::int64_t row = 0; row < e.height; ++row) {
      const auto rows = rows_around(e, image, row, zeros.data());
      float* out = y + (n * e.pixels() + row * e.width) * e.channels;
      for_each_strip(0, e.channels, [&](auto strip, std::int64_t c) {
        decltype(strip)::forward_row(shifted(rows, c), taps + c,
                                     bias != nullptr ? bias + c : nullptr, out + c, e.width,
                                     e.channels);
      });
    }
  }
}

void depthwise_weight_gradient(const ImageExtents& e, const float* x, const float* gy, float* taps,
                               float* bias, std::int64_t first, std::int64_t last) {
  const std::vector<float> zeros(static_cast<std::size_t>(e.width * e.channels));
  for (std::int64_t n = 0; n < e.images; ++n) {
    const float* image = x + n * e.pixels() * e.channels;
    for (std::int64_t row = 0; row < e.height; ++row) {
      const auto rows = rows_around(e, image, row, zeros.data());
      const float* gradient = gy + (n * e.pixels() + row * e.width) * e.channels;
      for_each_strip(first, last, [&](auto strip, std::int64_t c) {
        decltype(strip)::weight_gradient_row(shifted(rows, c), gradient + c, taps + c,
                                             bias != nullptr ? bias + c : nullptr, e.width,
                                             e.channels);
      });
    }
  }
}

// ---- gates of the additive attention ---------------------------------------------------------

void gate_pool(const ImageExtents& e, const float* x, const float* z,
               const float* __restrict weight, float* __restrict mask, float* __restrict pooled,
               std::int64_t first, std::int64_t last) {
  const float mean = 1.0F / static_cast<float>(e.pixels());
  for (std::int64_t n = first; n < last; ++n) {
    float* __restrict pool = pooled + n * e.channels;
    std::memset(pool, 0, static_cast<std::size_t>(e.channels) * sizeof(float));
    for (std::int64_t p = n * e.pixels(); p < (n + 1) * e.pixels(); ++p) {
      const float* __restrict zp = z + p * e.channels;
      const float* __restrict xp = x + p * e.channels;
      float logit = 0;
#pragma omp simd reduction(+ : logit)
      for (std::int64_t c = 0; c < e.channels; ++c) {
        logit += weight[c] * (zp[c] > 0 ? zp[c] : 0.0F);
      }
      const float m = sigmoid(logit);
      mask[p] = m;
      for (std::int64_t c = 0; c < e.channels; ++c) {
        pool[c] += m * xp[c];
      }
    }
    for (std::int64_t c = 0; c < e.channels; ++c) {
      pool[c] *= mean;
    }
  }
}

void gate_apply(const ImageExtents& e, const float* x, const float* mask, const float* channel,
                float* y, std::int64_t first, std::int64_t last) {
  for (std::int64_t n = first; n < last; ++n) {
    const float* __restrict gate = channel + n * e.channels;
    for (std::int64_t p = n * e.pixels(); p < (n + 1) * e.pixels(); ++p) {
      const float* __restrict xp = x + p * e.channels;
      float* __restrict yp = y + p * e.channels;
      const float m = mask[p];
      for (std::int64_t c = 0; c < e.channels; ++c) {
        yp[c] = xp[c] * m * gate[c];
      }
    }
  }
}

void gate_channel_gradient(const ImageExtents& e, const float* x, const float* mask,
                           const float* gy, float* channel_gradient, std::int64_t first,
                           std::int64_t last) {
  for (std::int64_t n = first; n < last; ++n) {
    float* __restrict sum = channel_gradient + n * e.channels;
    std::memset(sum, 0, static_cast<std::size_t>(e.channels) * sizeof(float));
    for (std::int64_t p = n * e.pixels(); p < (n + 1) * e.pixels(); ++p) {
      const float* __restrict xp = x + p * e.channels;
      const float* __restrict gp = gy + p * e.channels;
      const float m = mask[p];
      for (std::int64_t c = 0; c < e.channels; ++c) {
        sum[c] += gp[c] * xp[c] * m;
      }
    }
  }
}

void gate_backward(const ImageExtents& e, const float* x, const float* z,
                   const float* __restrict weight, const float* mask, const float* channel,
                   const float* pooled_gradient, const float* gy, float* gx, float* gz,
                   float* __restrict weight_gradient, std::int64_t first, std::int64_t last) {
  for (std::int64_t n = first; n < last; ++n) {
    const float* __restrict gate = channel + n * e.channels;
    const float* __restrict pool = pooled_gradient + n * e.channels;
    for (std::int64_t p = n * e.pixels(); p < (n + 1) * e.pixels(); ++p) {
      const float* __restrict xp = x + p * e.channels;
      const float* __restrict zp = z + p * e.channels;
      const float* __restrict gp = gy + p * e.channels;
      float* __restrict gxp = gx + p * e.channels;
      float* __restrict gzp = gz + p * e.channels;
      const float m = mask[p];
      float mask_gradient = 0;
#pragma omp simd reduction(+ : mask_gradient)
      for (std::int64_t c = 0; c < e.channels; ++c) {
        const float focused = gp[c] * gate[c] + pool[c];
        gxp[c] = focused * m;
        mask_gradient += focused * xp[c];
      }
      const float logit_gradient = mask_gradient * m * (1.0F - m);
      for (std::int64_t c = 0; c < e.channels; ++c) {
        const float positive = zp[c] > 0 ? zp[c] : 0.0F;
        gzp[c] = zp[c] > 0 ? logit_gradient * weight[c] : 0.0F;
        weight_gradient[c] += logit_gradient * positive;
      }
    }
  }
}

}  // namespace

const Loops kLoops{gelu_forward,    gelu_backward,     gelu_forward_backward,
                   add_column_sums, depthwise_forward, depthwise_weight_gradient,
                   gate_pool,       gate_apply,        gate_channel_gradient,
                   gate_backward};

}  // namespace casvit::trainer::kernels::CASVIT_LOOPS_NAMESPACE
