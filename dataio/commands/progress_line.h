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

  /// @param total 0 where nobody knows it yet
  void update(const std::string& phase, std::uint64_t done, std::uint64_t total);
  /// Removes the bar from a terminal, before something else is printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  void begin(const std::string& phase, std::uint64_t done);

  bool terminal_;
  bool drawn_ = false;
  Clock::time_point started_ = Clock::now();
  Clock::time_point phase_started_ = started_;
  Clock::time_point next_print_;
  std::string phase_;
  std::uint64_t phase_first_done_ = 0;  ///< what was done when it began: a packing may be continued
};

struct ProgressState {
  std::uint64_t first_done = 0;  ///< before the clock began
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  double seconds = 0;  ///< that `first_done` to `done` took
};

/// "packing [######..............] 31% 1234/3980, 0:12 left"; "listing 1234" without a total
std::string progress_text(const std::string& phase, const ProgressState& state, bool with_bar);

/// "4.6 MB"
std::string bytes_text(std::uint64_t bytes);

}  // namespace casvit::dataio
