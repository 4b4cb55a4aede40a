#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace casvit::dataio {

/// How far a long piece of work is, on standard error: a bar that is redrawn on a terminal, a line
/// every ten seconds elsewhere; nothing at all for the first two seconds.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void update(const std::string& phase, std::uint64_t done, std::uint64_t total);
  /// Removes the bar from a terminal, before something else is printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  void begin(const std::string& phase);

  bool terminal_;
  bool drawn_ = false;
  Clock::time_point started_ = Clock::now();
  Clock::time_point phase_started_ = started_;
  Clock::time_point next_print_;
  std::string phase_;
};

/// "packing [######..............] 31% 1234/3980, 0:12 left"
std::string progress_text(const std::string& phase, std::uint64_t done, std::uint64_t total,
                          double seconds, bool with_bar);

/// "4.6 MB"
std::string bytes_text(std::uint64_t bytes);

}  // namespace casvit::dataio
