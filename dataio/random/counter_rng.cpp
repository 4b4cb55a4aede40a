#include "dataio/random/counter_rng.h"

#include <cmath>
#include <numbers>

namespace casvit::dataio {
namespace {

__extension__ using Uint128 = unsigned __int128;

constexpr std::uint32_t kMultiplier0 = 0xD2511F53;
constexpr std::uint32_t kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85;

constexpr std::uint32_t low32(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
constexpr std::uint32_t high32(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32);
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                           std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = static_cast<std::uint64_t>(kMultiplier0) * counter[0];
    const std::uint64_t product1 = static_cast<std::uint64_t>(kMultiplier1) * counter[2];
    counter = {high32(product1) ^ counter[1] ^ key[0], low32(product1),
               high32(product0) ^ counter[3] ^ key[1], low32(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

// Note "Streams that cannot meet": (a, b) are 128 bits and go through one Philox block keyed with
// the seed, a bijection. Two of the four resulting words are the stream's key, the other two stand
// in its counter beside `use` and the number of the block. So for one seed, no two of (use, a, b,
// block) ever evaluate Philox at the same (counter, key).
CounterRng::CounterRng(std::uint64_t seed, RandomUse use, std::uint64_t a, std::uint64_t b) {
  const auto stream =
      philox4x32_10({low32(a), high32(a), low32(b), high32(b)}, {low32(seed), high32(seed)});
  key_ = {stream[0], stream[1]};
  counter_ = {0, static_cast<std::uint32_t>(use), stream[2], stream[3]};
}

std::uint32_t CounterRng::next_u32() {
  if (used_ == 4) {
    block_ = philox4x32_10(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[static_cast<std::size_t>(used_++)];
}

std::uint64_t CounterRng::next_u64() {
  const std::uint64_t low = next_u32();
  return low | static_cast<std::uint64_t>(next_u32()) << 32;
}

double CounterRng::uniform() { return static_cast<double>(next_u64() >> 11) * 0x1.0p-53; }

double CounterRng::uniform(double low, double high) {
  const double value = low + (high - low) * uniform();
  // Rounding can reach `high`; the interval is half open.
  return value < high || low >= high ? value : std::nextafter(high, low);
}

std::uint64_t CounterRng::below(std::uint64_t n) {
  Uint128 product = static_cast<Uint128>(next_u64()) * n;
  auto fraction = static_cast<std::uint64_t>(product);
  if (fraction < n) {
    const std::uint64_t threshold = (0 - n) % n;
    while (fraction < threshold) {
      product = static_cast<Uint128>(next_u64()) * n;
      fraction = static_cast<std::uint64_t>(product);
    }
  }
  return static_cast<std::uint64_t>(product >> 64);
}

double CounterRng::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

void CounterRng::fill_normal(std::span<float> values) {
  constexpr float kScale = 0x1.0p-24F;
  constexpr float kTwoPi = 2.0F * std::numbers::pi_v<float>;
  for (std::size_t i = 0; i < values.size(); i += 2) {
    // (0, 1] for the logarithm, [0, 1) for the angle.
    const float share = static_cast<float>((next_u32() >> 8) + 1) * kScale;
    const float angle = kTwoPi * (static_cast<float>(next_u32() >> 8) * kScale);
    const float radius = std::sqrt(-2.0F * std::log(share));
    values[i] = radius * std::cos(angle);
    if (i + 1 < values.size()) values[i + 1] = radius * std::sin(angle);
  }
}

// The logarithm: for a small shape the variate itself underflows, its logarithm does not.
double CounterRng::log_gamma_variate(double shape) {
  if (shape < 1.0) {
    const double boost = std::log(1.0 - uniform()) / shape;
    return log_gamma_variate(shape + 1.0) + boost;
  }
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = normal();
    const double root = 1.0 + c * x;
    if (root <= 0.0) continue;
    const double v = root * root * root;
    if (std::log(1.0 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) {
      return std::log(d) + std::log(v);
    }
  }
}

double CounterRng::beta(double alpha, double beta) {
  const double x = log_gamma_variate(alpha);
  const double y = log_gamma_variate(beta);
  return 1.0 / (1.0 + std::exp(y - x));
}

}  // namespace casvit::dataio
