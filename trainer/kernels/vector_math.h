#pragma once

#include <bit>
#include <cstdint>

// Scalar float functions that compilers turn into vector code when called in a loop: no branches,
// no tables, no library calls.

namespace casvit::trainer::kernels {

/// e^x for x <= 0 (0 below -87), relative error under 2e-7: Cody and Waite's reduction by multiples
/// of ln 2, then the Taylor polynomial of degree 6 on [-ln 2 / 2, ln 2 / 2].
inline __attribute__((always_inline)) float exp_of_negative(float x) {
  x = x < -87.0F ? -87.0F : x;
  const float k = __builtin_floorf(x * 1.44269504F + 0.5F);
  const float r = (x - k * 0.693359375F) + k * 2.12194440e-4F;
  float p = 1.0F / 720.0F;
  p = p * r + 1.0F / 120.0F;
  p = p * r + 1.0F / 24.0F;
  p = p * r + 1.0F / 6.0F;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  const auto exponent = static_cast<std::uint32_t>(static_cast<std::int32_t>(k) + 127) << 23;
  return p * std::bit_cast<float>(exponent);
}

inline __attribute__((always_inline)) float sigmoid(float x) {
  const float e = exp_of_negative(x < 0 ? x : -x);
  return (x < 0 ? e : 1.0F) / (1.0F + e);
}

/// Phi(x), the normal distribution function, and its density. Phi's absolute error is under 1e-7
/// (Abramowitz and Stegun, 7.1.26, whose exponential is shared with the density).
struct Normal {
  float distribution;
  float density;
};

inline __attribute__((always_inline)) Normal normal(float x) {
  const float e = exp_of_negative(-0.5F * x * x);
  const float magnitude = x < 0 ? -x : x;
  const float t = 1.0F / (1.0F + 0.3275911F * 0.70710678F * magnitude);
  float p = 1.061405429F;
  p = p * t - 1.453152027F;
  p = p * t + 1.421413741F;
  p = p * t - 0.284496736F;
  p = p * t + 0.254829592F;
  const float tail = 0.5F * p * t * e;  // Phi(-|x|)
  return {x < 0 ? tail : 1.0F - tail, e * 0.39894228F};
}

}  // namespace casvit::trainer::kernels
