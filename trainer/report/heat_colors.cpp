#include "trainer/report/heat_colors.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace casvit::trainer {
namespace {

struct OkLab {
  double lightness, a, b;
};

/// What the colours pass through.
constexpr std::array<OkLab, 5> kPath{{{0.20, 0.018, -0.068},
                                      {0.38, 0.087, -0.140},
                                      {0.57, 0.195, -0.007},
                                      {0.74, 0.093, 0.124},
                                      {0.93, -0.028, 0.112}}};

OkLab mixed(const OkLab& p, double weight_p, const OkLab& q, double weight_q) {
  return {weight_p * p.lightness + weight_q * q.lightness, weight_p * p.a + weight_q * q.a,
          weight_p * p.b + weight_q * q.b};
}

double distance(const OkLab& p, const OkLab& q) {
  return std::hypot(p.lightness - q.lightness, p.a - q.a, p.b - q.b);
}

/// The path as a Catmull-Rom spline. @param t 0 to 1
OkLab on_path(double t) {
  const auto last = static_cast<std::ptrdiff_t>(kPath.size()) - 1;
  const auto point = [&](std::ptrdiff_t i) {
    if (i < 0) return mixed(kPath[0], 2, kPath[1], -1);
    if (i > last) return mixed(kPath.back(), 2, kPath[kPath.size() - 2], -1);
    return kPath[static_cast<std::size_t>(i)];
  };
  const double place = t * static_cast<double>(last);
  const auto i = std::min(static_cast<std::ptrdiff_t>(place), last - 1);
  const double u = place - static_cast<double>(i);
  const OkLab before = mixed(point(i - 1), (-u + 2 * u * u - u * u * u) / 2, point(i),
                             (2 - 5 * u * u + 3 * u * u * u) / 2);
  const OkLab after = mixed(point(i + 1), (u + 4 * u * u - 3 * u * u * u) / 2, point(i + 2),
                            (-u * u + u * u * u) / 2);
  return mixed(before, 1, after, 1);
}

std::uint8_t to_srgb(double linear) {
  const double x = std::clamp(linear, 0.0, 1.0);
  const double encoded = x <= 0.0031308 ? 12.92 * x : 1.055 * std::pow(x, 1 / 2.4) - 0.055;
  return static_cast<std::uint8_t>(std::lround(255 * encoded));
}

Rgb to_srgb(const OkLab& c) {
  const double l = std::pow(c.lightness + 0.3963377774 * c.a + 0.2158037573 * c.b, 3);
  const double m = std::pow(c.lightness - 0.1055613458 * c.a - 0.0638541728 * c.b, 3);
  const double s = std::pow(c.lightness - 0.0894841775 * c.a - 1.2914855480 * c.b, 3);
  return {to_srgb(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
          to_srgb(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
          to_srgb(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}

/// Equal steps along the path's length.
std::array<Rgb, 256> even_colors() {
  constexpr std::size_t kFine = 4096;
  std::vector<OkLab> path;
  std::vector<double> length{0};
  for (std::size_t i = 0; i <= kFine; ++i) {
    path.push_back(on_path(static_cast<double>(i) / kFine));
    if (i > 0) length.push_back(length.back() + distance(path[i - 1], path[i]));
  }
  std::array<Rgb, 256> colors{};
  for (std::size_t i = 0; i < colors.size(); ++i) {
    const double wanted = length.back() * static_cast<double>(i) / (colors.size() - 1);
    const auto found = std::ranges::lower_bound(length, wanted - 1e-12);
    colors[i] = to_srgb(path[static_cast<std::size_t>(found - length.begin())]);
  }
  return colors;
}

}  // namespace

const std::array<Rgb, 256>& heat_colors() {
  static const std::array<Rgb, 256> kColors = even_colors();
  return kColors;
}

}  // namespace casvit::trainer
