#include "trainer/report/progress_line.h"

#include <algorithm>
#include <cmath>

#include "trainer/report/progress.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

double share(const ProgressState& state) {
  if (state.total <= 0) return 0;
  return std::clamp(static_cast<double>(state.done) / static_cast<double>(state.total), 0.0, 1.0);
}

std::string percent(const ProgressState& state) {
  const std::string digits = std::to_string(static_cast<int>(std::floor(100 * share(state))));
  return std::string(3 - std::min<std::size_t>(3, digits.size()), ' ') + digits + "%";
}

std::string time_left(const ProgressState& state) {
  const std::int64_t done = state.done - state.first_done;
  if (done <= 0) return "";
  const auto left = static_cast<double>(std::max<std::int64_t>(0, state.total - state.done));
  return format_duration(state.seconds * left / static_cast<double>(done)) + " left";
}

std::string bar(double filled, int width, bool unicode) {
  const int full = static_cast<int>(std::lround(filled * width));
  std::string out;
  for (int i = 0; i < width; ++i) {
    if (unicode) {
      out += i < full ? "\xe2\x94\x81" : "\xe2\x94\x80";  // heavy and light line
    } else {
      out += i < full ? '=' : '-';
    }
  }
  return out;
}

/// At most `columns` code points.
std::string cut(const std::string& text, int columns) {
  int seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xc0U) != 0x80U;
    if (begins && seen++ == columns) return text.substr(0, i);
  }
  return text;
}

std::string joined(std::initializer_list<std::string> parts) {
  std::string out;
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    out += (out.empty() ? "" : "  ") + part;
  }
  return out;
}

}  // namespace

std::string plain_progress_line(const ProgressState& state) {
  return joined({state.label, percent(state), time_left(state), state.text});
}

std::string drawn_progress_line(const ProgressState& state, int columns, bool unicode) {
  constexpr int kWidest = 24;
  constexpr int kNarrowest = 6;
  const int others = code_points(sanitize_utf8(plain_progress_line(state))) + 2;
  const int width = std::min(kWidest, columns - others);
  const std::string drawn = width < kNarrowest
                                ? plain_progress_line(state)
                                : joined({state.label, bar(share(state), width, unicode),
                                          percent(state), time_left(state), state.text});
  return cut(drawn, columns);
}

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  const auto two = [](long long value) {
    return std::string(value < 10 ? "0" : "").append(std::to_string(value));
  };
  const long long whole = std::llround(std::min(seconds, 1e15));
  const long long hours = whole / 3600;
  const long long minutes = whole / 60 % 60;
  if (hours > 0) return std::to_string(hours) + "h" + two(minutes) + "m";
  if (minutes > 0) return std::to_string(minutes) + "m" + two(whole % 60) + "s";
  return std::to_string(whole) + "s";
}

}  // namespace casvit::trainer
