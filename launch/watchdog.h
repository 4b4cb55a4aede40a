#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace casvit::launch {

/// Notices threads that are stuck: a thread of its own, which calls neither MPI nor CUDA, looks at
/// what is being watched and is told to be alive. It is armed only while something is watched.
class Watchdog {
 public:
  using Clock = std::chrono::steady_clock;
  using Duration = std::chrono::milliseconds;

  /// @param on_stuck called once, on the watchdog's thread, with "stuck for 12 s in DOING", after
  /// the stacks of the stuck thread and of those shown with it were written to standard error.
  /// @param who "rank 1 of 4 on host: ", before the stacks; asked when needed.
  Watchdog(std::function<void(const std::string&)> on_stuck, std::function<std::string()> who);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog();

  /// How long something may show no life; zero: for ever. For what is watched already, too.
  void set_timeout(Duration timeout);
  /// A thread whose stack tells something whichever other is stuck. @param name "MPI"
  void also_show(const std::string& name, pid_t thread);

  /// Told of every sign of life, from then on: something begins to be watched, is fed or ends.
  /// Called from any thread, one at a time. @param observe its argument: whether anything is
  /// watched now
  void tell_life(std::function<void(bool watched)> observe);

  /// Something that the calling thread does, watched until this is gone. What a thread starts to do
  /// within something else is watched in its place, and its end is a sign of life.
  class Watch {
   public:
    Watch() = default;
    Watch(Watch&& other) noexcept : watchdog_(std::exchange(other.watchdog_, nullptr)) {
      number_ = other.number_;
    }
    Watch& operator=(Watch&&) = delete;
    ~Watch();
    /// It lives: the time starts anew.
    void feed();

   private:
    friend class Watchdog;
    Watch(Watchdog* watchdog, std::uint64_t number) : watchdog_(watchdog), number_(number) {}
    Watchdog* watchdog_ = nullptr;
    std::uint64_t number_ = 0;
  };
  /// @param doing what it is, for the message: "collective 12, barrier"
  /// @param grace beyond the timeout, for what has a deadline of its own and a better message.
  Watch watch(std::string doing, Duration grace = Duration(0));

 private:
  struct Watched {
    std::string doing;
    pid_t thread = 0;
    Duration grace{0};
    Clock::time_point since;
  };

  void note_life() const;
  void run();
  Clock::time_point deadline(const Watched& it) const;
  Watched first_to_bark_at() const;
  void bark(const Watched& stuck, Clock::time_point now);

  const std::function<void(const std::string&)> on_stuck_;
  const std::function<std::string()> who_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  Duration timeout_{0};
  std::map<std::uint64_t, Watched> watched_;
  std::uint64_t next_ = 0;
  std::vector<std::pair<std::string, pid_t>> shown_;
  std::function<void(bool)> observe_life_;
  bool stop_ = false;
  std::thread thread_;  ///< started by the first watch
};

}  // namespace casvit::launch
