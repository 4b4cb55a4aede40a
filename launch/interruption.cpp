#include "launch/interruption.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>

namespace casvit::launch {
namespace {

constexpr std::array<int, 4> kSignals{SIGTERM, SIGINT, SIGUSR1, SIGHUP};

/// A scheduler that signals every process of a job reaches a rank more than once: by itself, and
/// through each launcher that hands the signal on.
constexpr std::int64_t kEchoNanoseconds = 2'000'000'000;

std::int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);  // which a handler may call
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// What a handler may touch has to be global.
std::atomic<int> received{0};
std::atomic<std::int64_t> received_at{0};
std::array<struct sigaction, kSignals.size()> before{};

void on_signal(int number) {
  std::int64_t never = 0;
  const std::int64_t time = now();
  if (received_at.compare_exchange_strong(never, time)) {
    received = number;
    return;
  }
  if (time - never < kEchoNanoseconds) return;
  // The second: as if it had never been caught. Exiting in the shell's way would need the default
  // handler and a return from here; a thread that is stuck would not let us get that far.
  _exit(128 + number);
}

}  // namespace

Interruption::Interruption() {
  received = 0;
  received_at = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], &action, &before[i]);
    // Whoever started us with a signal ignored (nohup, a shell's background job) meant it.
    if (before[i].sa_handler == SIG_IGN) sigaction(kSignals[i], &before[i], nullptr);
  }
}

Interruption::~Interruption() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before[i], nullptr);
}

int Interruption::signal() { return received; }

const char* signal_name(int number) {
  switch (number) {
    case SIGTERM:
      return "SIGTERM";
    case SIGINT:
      return "SIGINT";
    case SIGUSR1:
      return "SIGUSR1";
    case SIGHUP:
      return "SIGHUP";
    default:
      return "a signal";
  }
}

}  // namespace casvit::launch
