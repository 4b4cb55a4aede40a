#pragma once

namespace casvit::launch {

/// Turns SIGTERM, SIGINT, SIGUSR1 and SIGHUP into a wish that the program looks at when it suits
/// it: the first one asks it to save and leave; a second one (of any of them) ends it at once, but
/// within two seconds of the first it is the same wish, come by another way. One at a time; the
/// signals' former handling is back when it is gone.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  /// The first signal that came, 0: none. From any thread, at any time.
  static int signal();
  static bool requested() { return signal() != 0; }
};

/// "SIGTERM".
const char* signal_name(int number);

}  // namespace casvit::launch
