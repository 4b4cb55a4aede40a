#include "trainer/engine/phase_clock.h"

#include <c10/core/impl/VirtualGuardImpl.h>

#include <utility>

namespace casvit::trainer {

const char* phase_name(StepPhase phase) {
  switch (phase) {
    case StepPhase::kData:
      return "data wait";
    case StepPhase::kForward:
      return "forward";
    case StepPhase::kBackward:
      return "backward";
    case StepPhase::kCommunication:
      return "exposed communication";
    case StepPhase::kOptimizer:
      return "optimizer";
  }
  return "";
}

PhaseClock::Mark PhaseClock::mark(StepPhase phase) const {
  Mark mark{phase, Clock::now(), std::nullopt};
  if (!device_.is_cpu()) {
    mark.device.emplace(device_.type(), c10::EventFlag::BACKEND_DEFAULT);
    mark.device->record(c10::impl::VirtualGuardImpl(device_.type()).getStream(device_));
  }
  return mark;
}

void PhaseClock::enter(StepPhase phase) { marks_.push_back(mark(phase)); }

void PhaseClock::finish() {
  marks_.push_back(mark(StepPhase::kOptimizer));  // where the last phase ends
  if (device_.is_cpu()) {
    known_ = spans_between(marks_);
    marks_.clear();
    return;
  }
  std::swap(pending_, marks_);
  known_ = spans_between(marks_);
  marks_.clear();
}

/// Moments on a GPU are placed after the host's when the step began.
std::vector<PhaseClock::Span> PhaseClock::spans_between(const std::vector<Mark>& marks) {
  std::vector<Span> spans;
  if (marks.empty()) {
    return spans;
  }
  if (marks.back().device) {
    marks.back().device->synchronize();
  }
  const Mark& first = marks.front();
  const auto moment = [&](const Mark& mark) {
    if (!mark.device) {
      return mark.host;
    }
    const std::chrono::duration<double, std::milli> since(first.device->elapsedTime(*mark.device));
    return first.host + std::chrono::duration_cast<Clock::duration>(since);
  };
  for (std::size_t i = 0; i + 1 < marks.size(); ++i) {
    spans.push_back({marks[i].phase, moment(marks[i]), moment(marks[i + 1])});
  }
  return spans;
}

StepTimes PhaseClock::times() const {
  StepTimes times;
  for (const Span& span : known_) {
    const double seconds = std::chrono::duration<double>(span.end - span.begin).count();
    switch (span.phase) {
      case StepPhase::kData:
        times.data += seconds;
        break;
      case StepPhase::kForward:
      case StepPhase::kBackward:
        times.compute += seconds;
        break;
      case StepPhase::kCommunication:
        times.communication += seconds;
        break;
      case StepPhase::kOptimizer:
        times.optimizer += seconds;
        break;
    }
  }
  return times;
}

}  // namespace casvit::trainer
