#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace casvit::trainer {

/// The line that says how far a long job is: on a terminal one line redrawn in place (bar, percent,
/// ETA, the caller's text), otherwise a plain line now and then. Silent for jobs under two seconds.
/// Made on rank 0 only.
class Progress {
 public:
  /// @param label e.g. "epoch 3/40"; @param total units of work; @param first_done what of them was
  /// done before; @param seconds_between plain lines.
  Progress(std::string label, std::int64_t total, std::int64_t first_done = 0,
           double seconds_between = 10.0);
  ~Progress();  ///< clears the line on a terminal

  /// @param text e.g. "loss 1.234  lr 0.00100  75 images/s".
  void update(std::int64_t done, const std::string& text);
  /// Clears the line on a terminal, before something else is printed; update() draws it again.
  void clear();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// "1h02m", "3m07s", "12s".
std::string format_duration(double seconds);

}  // namespace casvit::trainer
