#pragma once

#include <c10/core/Device.h>
#include <c10/core/Event.h>

#include <chrono>
#include <optional>
#include <vector>

#include "trainer/engine/step_times.h"

namespace casvit::trainer {

enum class StepPhase { kData, kForward, kBackward, kCommunication, kOptimizer };
const char* phase_name(StepPhase phase);

/// Divides a step's time into phases as the device meets them: on a GPU, which works through what
/// the host handed it long after, by events in its stream (what the host waits for meanwhile is
/// hidden, and costs nothing).
class PhaseClock {
 public:
  using Clock = std::chrono::steady_clock;
  struct Span {
    StepPhase phase;
    Clock::time_point begin, end;
  };

  explicit PhaseClock(const c10::Device& device) : device_(device) {}

  /// Begins a phase; the one before ends.
  void enter(StepPhase phase);
  /// The step ends. On a GPU nobody waits for that: what is known afterwards is the step before,
  /// which is over once anything of this one was read back.
  void finish();

  /// Of the step that is known; zero before there is one.
  StepTimes times() const;
  const std::vector<Span>& spans() const { return known_; }

 private:
  struct Mark {
    StepPhase phase{};
    Clock::time_point host;
    std::optional<c10::Event> device;
  };
  Mark mark(StepPhase phase) const;
  static std::vector<Span> spans_between(const std::vector<Mark>& marks);

  c10::Device device_;
  std::vector<Mark> marks_;    ///< of the step under way
  std::vector<Mark> pending_;  ///< on a GPU, of the step before
  std::vector<Span> known_;
};

}  // namespace casvit::trainer
