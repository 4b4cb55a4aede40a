#pragma once

#include <chrono>

namespace casvit::launch {

/// How long to pause between two looks at something that another process will change: not at all
/// for a few microseconds, then giving the core away, then sleeping. Where ranks outnumber cores
/// the first part is left out, for the one that is waited for needs the core.
class Backoff {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Backoff(bool may_spin) : may_spin_(may_spin) {}

  /// Something moved: look again at once.
  void reset() { idle_since_ = {}; }

  /// Giving the core away took that long: where others made use of it, it is not given away by
  /// halves for a while. One that sleeps is woken in time, one that yields waits for its turn.
  void note_yield(Clock::duration took) {
    if (took >= kCrowded) crowded_until_ = Clock::now() + kCrowdedFor;
  }

  enum class Pause { kNone, kYield, kSleep };
  /// What to do before the next look.
  Pause next() {
    const auto now = Clock::now();
    if (idle_since_ == Clock::time_point{}) idle_since_ = now;
    const auto idle = now - idle_since_;
    if (may_spin_ && idle < kSpin) return Pause::kNone;
    if (idle < kYield && now >= crowded_until_) return Pause::kYield;
    sleep_ = idle < kPatience ? kShortSleep : kLongSleep;
    return Pause::kSleep;
  }
  /// For how long, after `next` said kSleep.
  std::chrono::microseconds sleep() const { return sleep_; }

 private:
  static constexpr std::chrono::microseconds kSpin{10};
  static constexpr std::chrono::microseconds kYield{100};
  static constexpr std::chrono::microseconds kCrowded{100};
  static constexpr std::chrono::milliseconds kCrowdedFor{20};
  static constexpr std::chrono::microseconds kPatience{5000};
  static constexpr std::chrono::microseconds kShortSleep{30};
  static constexpr std::chrono::microseconds kLongSleep{200};

  const bool may_spin_;
  Clock::time_point idle_since_{};
  Clock::time_point crowded_until_{};
  std::chrono::microseconds sleep_{0};
};

}  // namespace casvit::launch
