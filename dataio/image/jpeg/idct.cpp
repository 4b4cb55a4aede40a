#include "dataio/image/jpeg/idct.h"

#include <algorithm>

namespace casvit::dataio::jpeg {
namespace {

constexpr int kConstantBits = 13;
constexpr int kFirstPassBits = 2;

// Constants of jidctint.c, 13 bits after the point.
constexpr std::int32_t kF0298 = 2446;
constexpr std::int32_t kF0390 = 3196;
constexpr std::int32_t kF0541 = 4433;
constexpr std::int32_t kF0765 = 6270;
constexpr std::int32_t kF0899 = 7373;
constexpr std::int32_t kF1175 = 9633;
constexpr std::int32_t kF1501 = 12299;
constexpr std::int32_t kF1847 = 15137;
constexpr std::int32_t kF1961 = 16069;
constexpr std::int32_t kF2053 = 16819;
constexpr std::int32_t kF2562 = 20995;
constexpr std::int32_t kF3072 = 25172;

/// The lower 16 bits, as a signed number.
std::int16_t wrap(std::int32_t value) { return static_cast<std::int16_t>(value); }

std::int16_t saturate(std::int32_t value) {
  return static_cast<std::int16_t>(std::clamp(value, -32768, 32767));
}

/// Sums modulo 2^32.
std::int32_t add(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}
std::int32_t subtract(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) - static_cast<std::uint32_t>(b));
}

/// Eight numbers, `step` apart, in place.
template <int kShift>
void transform(std::int16_t* data, std::size_t step) {
  std::int32_t in[8];
  for (std::size_t i = 0; i < 8; ++i) in[i] = data[i * step];
  // Even part.
  const std::int32_t even3 = in[2] * (kF0541 + kF0765) + in[6] * kF0541;
  const std::int32_t even2 = in[2] * kF0541 + in[6] * (kF0541 - kF1847);
  const std::int32_t even0 = wrap(in[0] + in[4]) * (1 << kConstantBits);
  const std::int32_t even1 = wrap(in[0] - in[4]) * (1 << kConstantBits);
  const std::int32_t sums[4] = {add(even0, even3), add(even1, even2), subtract(even1, even2),
                                subtract(even0, even3)};
  // Odd part.
  const std::int32_t z3 = wrap(in[7] + in[3]);
  const std::int32_t z4 = wrap(in[5] + in[1]);
  const std::int32_t y3 = z3 * (kF1175 - kF1961) + z4 * kF1175;
  const std::int32_t y4 = z3 * kF1175 + z4 * (kF1175 - kF0390);
  const std::int32_t odd[4] = {
      add(in[7] * -kF0899 + in[1] * (kF1501 - kF0899), y4),
      add(in[5] * -kF2562 + in[3] * (kF3072 - kF2562), y3),
      add(in[5] * (kF2053 - kF2562) + in[3] * -kF2562, y4),
      add(in[7] * (kF0298 - kF0899) + in[1] * -kF0899, y3),
  };
  constexpr std::int32_t kRound = 1 << (kShift - 1);
  for (std::size_t i = 0; i < 4; ++i) {
    data[i * step] = saturate(add(add(sums[i], odd[i]), kRound) >> kShift);
    data[(7 - i) * step] = saturate(add(subtract(sums[i], odd[i]), kRound) >> kShift);
  }
}

void inverse_dct_block(const Block& coefficients, const std::uint16_t* quantization,
                       std::uint8_t* out, std::size_t stride) {
  std::int16_t data[64];
  bool only_first_row = true;
  for (std::size_t i = 0; i < 64; ++i) {
    data[i] = wrap(coefficients[i] * static_cast<std::int16_t>(quantization[i]));
    only_first_row &= i < 8 || coefficients[i] == 0;
  }
  if (only_first_row) {
    // The vector version's shortcut, which wraps where the transform would saturate.
    for (std::size_t x = 0; x < 8; ++x) data[x] = wrap(data[x] * (1 << kFirstPassBits));
    for (std::size_t i = 8; i < 64; ++i) data[i] = data[i - 8];
  } else {
    for (std::size_t x = 0; x < 8; ++x) transform<kConstantBits - kFirstPassBits>(data + x, 8);
  }
  for (std::size_t y = 0; y < 8; ++y, out += stride) {
    transform<kConstantBits + kFirstPassBits + 3>(data + y * 8, 1);
    for (std::size_t x = 0; x < 8; ++x) {
      out[x] = static_cast<std::uint8_t>(std::clamp<int>(data[y * 8 + x], -128, 127) + 128);
    }
  }
}

}  // namespace

void inverse_dct_portable(const Block* coefficients, const std::uint16_t* quantization,
                          std::size_t blocks, std::uint8_t* out, std::size_t stride) {
  for (std::size_t i = 0; i < blocks; ++i, out += 8) {
    inverse_dct_block(coefficients[i], quantization, out, stride);
  }
}

}  // namespace casvit::dataio::jpeg
