#include "trainer/report/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "trainer/report/progress_line.h"

namespace casvit::trainer {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kSilentSeconds = 2;
constexpr double kRedrawSeconds = 0.1;

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

/// A terminal that can redraw a line.
bool stderr_is_terminal() {
  const char* kind = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && (kind == nullptr || std::string_view(kind) != "dumb");
}

bool terminal_is_unicode() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string_view locale = value;
    return locale.find("UTF-8") != std::string_view::npos ||
           locale.find("utf8") != std::string_view::npos;
  }
  return false;
}

/// Asked each time: windows are resized.
int terminal_columns() {
  constexpr int kUsual = 80;
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return (known ? size.ws_col : kUsual) - 1;  // a full line would wrap on some terminals
}

}  // namespace

struct Progress::State {
  ProgressState shown;
  double seconds_between_lines = 0;
  Clock::time_point start = Clock::now();
  Clock::time_point last_output = start;
  bool terminal = stderr_is_terminal();
  bool unicode = terminal_is_unicode();
  bool drawn = false;  ///< a line stands on the terminal
};

Progress::Progress(std::string label, std::int64_t total, std::int64_t first_done,
                   double seconds_between)
    : state_(std::make_unique<State>()) {
  state_->shown.label = std::move(label);
  state_->shown.first_done = first_done;
  state_->shown.total = total;
  state_->seconds_between_lines = seconds_between;
}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (!state_->drawn) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  state_->drawn = false;
}

void Progress::update(std::int64_t done, const std::string& text) {
  State& state = *state_;
  const Clock::time_point now = Clock::now();
  const double pause = state.terminal ? kRedrawSeconds : state.seconds_between_lines;
  const double running = seconds_between(state.start, now);
  const bool first_drawing = state.terminal && !state.drawn;
  if (running < kSilentSeconds ||
      (!first_drawing && seconds_between(state.last_output, now) < pause)) {
    return;
  }
  state.last_output = now;
  state.shown.done = done;
  state.shown.seconds = running;
  state.shown.text = text;
  if (state.terminal) {
    const std::string line = drawn_progress_line(state.shown, terminal_columns(), state.unicode);
    std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
    state.drawn = true;
  } else {
    std::fprintf(stderr, "%s\n", plain_progress_line(state.shown).c_str());
  }
  std::fflush(stderr);
}

}  // namespace casvit::trainer
