#include "dataio/commands/signal_gate.h"

#include <ctime>

namespace casvit::dataio {

SignalGate::SignalGate() {
  sigemptyset(&held_);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&held_, number);
  pthread_sigmask(SIG_BLOCK, &held_, &before_);
}

SignalGate::~SignalGate() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

void SignalGate::check() const {
  const timespec now{};
  const int number = sigtimedwait(&held_, nullptr, &now);
  if (number > 0) throw Interrupted(number);
}

}  // namespace casvit::dataio
