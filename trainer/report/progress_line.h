#pragma once

#include <cstdint>
#include <string>

namespace casvit::trainer {

/// How far a job is.
struct ProgressState {
  std::string label;
  std::int64_t first_done = 0;  ///< before the clock began: an epoch may be continued
  std::int64_t done = 0;
  std::int64_t total = 0;
  double seconds = 0;  ///< that `first_done` to `done` took
  std::string text;    ///< the caller's
};

/// "epoch 3/40   45%  1m02s left   loss 1.234": the plain line, without its end.
std::string plain_progress_line(const ProgressState& state);

/// The same with a bar, cut to `columns` of a terminal.
std::string drawn_progress_line(const ProgressState& state, int columns, bool unicode);

}  // namespace casvit::trainer
