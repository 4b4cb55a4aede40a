#include "launch/watchdog.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "launch/stack_dump.h"

namespace casvit::launch {
namespace {

/// What is watched, fed and done changes all the time; looking costs less than being told.
constexpr std::chrono::milliseconds kLookInterval{250};

std::string seconds(Watchdog::Clock::duration duration) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g s", std::chrono::duration<double>(duration).count());
  return text;
}

}  // namespace

Watchdog::Watchdog(std::function<void(const std::string&)> on_stuck,
                   std::function<std::string()> who)
    : on_stuck_(std::move(on_stuck)), who_(std::move(who)) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Watchdog::set_timeout(Duration timeout) {
  const std::lock_guard lock(mutex_);
  timeout_ = timeout;
  changed_.notify_all();
}

void Watchdog::also_show(const std::string& name, pid_t thread) {
  const std::lock_guard lock(mutex_);
  shown_.emplace_back(name, thread);
}

void Watchdog::tell_life(std::function<void(bool watched)> observe) {
  const std::lock_guard lock(mutex_);
  observe_life_ = std::move(observe);
}

void Watchdog::note_life() const {
  if (observe_life_) observe_life_(!watched_.empty());
}

Watchdog::Watch Watchdog::watch(std::string doing, Duration grace) {
  const std::lock_guard lock(mutex_);
  if (!thread_.joinable()) {
    prepare_stack_dumps();
    thread_ = std::thread([this] { run(); });
  }
  const std::uint64_t number = next_++;
  const bool was_idle = watched_.empty();
  watched_[number] = {std::move(doing), current_thread(), grace, Clock::now()};
  if (was_idle) changed_.notify_all();
  note_life();
  return {this, number};
}

Watchdog::Watch::~Watch() {
  if (watchdog_ == nullptr) return;
  const std::lock_guard lock(watchdog_->mutex_);
  auto& watched = watchdog_->watched_;
  const pid_t thread = watched.at(number_).thread;
  watched.erase(number_);
  for (auto& [number, other] : watched) {
    if (other.thread == thread) other.since = Clock::now();
  }
  watchdog_->note_life();
}

void Watchdog::Watch::feed() {
  if (watchdog_ == nullptr) return;
  const std::lock_guard lock(watchdog_->mutex_);
  watchdog_->watched_.at(number_).since = Clock::now();
  watchdog_->note_life();
}

Watchdog::Clock::time_point Watchdog::deadline(const Watched& it) const {
  return it.since + timeout_ + it.grace;
}

/// Of the innermost of each thread, the one whose time is up first.
Watchdog::Watched Watchdog::first_to_bark_at() const {
  std::map<pid_t, const Watched*> innermost;
  for (const auto& [number, it] : watched_) innermost[it.thread] = &it;  // in order of number
  const Watched* first = nullptr;
  for (const auto& [thread, it] : innermost) {
    if (first == nullptr || deadline(*it) < deadline(*first)) first = it;
  }
  return *first;
}

void Watchdog::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (watched_.empty() || timeout_ == Duration(0)) {
      changed_.wait(lock);
      continue;
    }
    const Watched first = first_to_bark_at();
    const auto now = Clock::now();
    if (deadline(first) <= now) {
      lock.unlock();
      return bark(first, now);
    }
    changed_.wait_until(lock, std::min(deadline(first), now + kLookInterval));
  }
}

void Watchdog::bark(const Watched& stuck, Clock::time_point now) {
  const std::string what = "stuck for " + seconds(now - stuck.since) + " in " + stuck.doing;
  const auto show = [this](const std::string& name, pid_t thread) {
    const std::string line = who_() + name + " (thread " + std::to_string(thread) + ") is in\n";
    if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return;
    dump_stack(thread, STDERR_FILENO);
  };
  show("the stuck thread", stuck.thread);
  std::vector<std::pair<std::string, pid_t>> others;
  {
    const std::lock_guard lock(mutex_);
    others = shown_;
  }
  for (const auto& [name, thread] : others) {
    if (thread != stuck.thread) show(name, thread);
  }
  on_stuck_(what);
}

}  // namespace casvit::launch
