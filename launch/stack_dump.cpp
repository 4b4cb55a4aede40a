#include "launch/stack_dump.h"

#include <execinfo.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <string_view>

namespace casvit::launch {
namespace {

constexpr int kFrames = 64;
constexpr int kAnswerSeconds = 1;
/// The handler's own frame and that of the signal.
constexpr int kOwnFrames = 2;

/// What a handler may touch has to be global.
std::array<void*, kFrames> frames{};
std::atomic<int> frame_count{0};
sem_t answered;

void take_stack(int /*signal*/) {
  const int before = errno;
  frame_count = backtrace(frames.data(), kFrames);
  sem_post(&answered);
  errno = before;
}

/// Nothing is left to do where standard error is gone.
void say(int file_descriptor, std::string_view text) {
  if (::write(file_descriptor, text.data(), text.size()) < 0) return;
}

bool wait_for_answer() {
  timespec until{};
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += kAnswerSeconds;
  while (sem_timedwait(&answered, &until) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

}  // namespace

pid_t current_thread() { return static_cast<pid_t>(::syscall(SYS_gettid)); }

void prepare_stack_dumps() {
  // The first call loads libgcc_s, which allocates memory: not something to do inside a handler.
  std::array<void*, 1> nothing{};
  backtrace(nothing.data(), 1);
}

void dump_stack(pid_t thread, int file_descriptor) {
  sem_init(&answered, 0, 0);
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = take_stack;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGURG, &action, &before);
  if (::syscall(SYS_tgkill, getpid(), thread, SIGURG) == 0 && wait_for_answer()) {
    const int count = frame_count;
    const int own = std::min(kOwnFrames, count);
    backtrace_symbols_fd(frames.data() + own, count - own, file_descriptor);
  } else {
    say(file_descriptor, "  (the thread is gone, or the kernel holds it: no stack)\n");
  }
  sigaction(SIGURG, &before, nullptr);
}

}  // namespace casvit::launch
