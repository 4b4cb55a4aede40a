#pragma once

#include <csignal>
#include <stdexcept>
#include <string>

namespace casvit::dataio {

/// The user or the system asked us to end (Ctrl-C, SIGTERM, SIGHUP). Whoever catches it cleans up
/// and then dies of `signal`, so that a shell sees what happened.
class Interrupted : public std::runtime_error {
 public:
  explicit Interrupted(int number, const std::string& message = "interrupted; nothing was written")
      : std::runtime_error(message), signal(number) {}
  int signal;
};

/// Holds back the signals that end a program, so that temporary files can be removed first. Make it
/// before any thread: threads inherit the mask.
class SignalGate {
 public:
  SignalGate();
  ~SignalGate();
  SignalGate(const SignalGate&) = delete;
  SignalGate& operator=(const SignalGate&) = delete;

  /// @throws Interrupted when one of the signals has arrived.
  void check() const;

 private:
  sigset_t held_{};
  sigset_t before_{};
};

}  // namespace casvit::dataio
