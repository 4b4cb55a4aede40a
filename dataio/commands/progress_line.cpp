#include "dataio/commands/progress_line.h"

#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <iostream>

namespace casvit::dataio {
namespace {

constexpr std::chrono::seconds kQuiet{2};
constexpr std::chrono::seconds kLineEvery{10};
constexpr std::size_t kBarWidth = 20;
constexpr const char* kEraseLine = "\r\x1b[K";

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  std::array<char, 32> text{};
  if (whole >= 3600) {
    std::snprintf(text.data(), text.size(), "%llu:%02llu:%02llu",
                  static_cast<unsigned long long>(whole / 3600),
                  static_cast<unsigned long long>(whole / 60 % 60),
                  static_cast<unsigned long long>(whole % 60));
  } else {
    std::snprintf(text.data(), text.size(), "%llu:%02llu",
                  static_cast<unsigned long long>(whole / 60),
                  static_cast<unsigned long long>(whole % 60));
  }
  return text.data();
}

}  // namespace

ProgressLine::ProgressLine()
    : terminal_(::isatty(STDERR_FILENO) == 1), next_print_(started_ + kQuiet) {}

void ProgressLine::begin(const std::string& phase, std::uint64_t done) {
  phase_ = phase;
  phase_first_done_ = done;
  phase_started_ = Clock::now();
}

void ProgressLine::update(const std::string& phase, std::uint64_t done, std::uint64_t total) {
  if (phase != phase_) begin(phase, done);
  const Clock::time_point now = Clock::now();
  if (now < next_print_) return;
  const double seconds = std::chrono::duration<double>(now - phase_started_).count();
  const std::string text =
      progress_text(phase, {phase_first_done_, done, total, seconds}, terminal_);
  if (terminal_) {
    std::cerr << kEraseLine << text << std::flush;
    drawn_ = true;
  } else {
    std::cerr << text << "\n" << std::flush;
    next_print_ = now + kLineEvery;
  }
}

void ProgressLine::clear() {
  if (drawn_) std::cerr << kEraseLine << std::flush;
  drawn_ = false;
}

std::string progress_text(const std::string& phase, const ProgressState& state, bool with_bar) {
  const auto [first_done, done, total, seconds] = state;
  if (total == 0) return phase + " " + std::to_string(done);
  const double share = static_cast<double>(done) / static_cast<double>(total);
  std::string text = phase + " ";
  if (with_bar) {
    const auto filled = static_cast<std::size_t>(share * static_cast<double>(kBarWidth));
    text += "[";
    text.append(filled, '#').append(kBarWidth - filled, '.');
    text += "] ";
  }
  text += std::to_string(static_cast<int>(share * 100)) + "% " + std::to_string(done) + "/" +
          std::to_string(total);
  if (done > first_done && done < total) {
    const double rate = static_cast<double>(done - first_done) / seconds;
    text += ", " + duration_text(static_cast<double>(total - done) / rate) + " left";
  }
  return text;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits{"bytes", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 999.95 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

}  // namespace casvit::dataio
