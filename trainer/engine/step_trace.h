#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "launch/world.h"
#include "trainer/engine/phase_clock.h"
#include "trainer/parallel/gradient_reducer.h"

namespace casvit::trainer {

/// Records steps of every rank as a Chrome trace (JSON, for ui.perfetto.dev or chrome://tracing):
/// a process a rank, with its phases and the exchanges that ran beside them.
class StepTrace {
 public:
  /// @param first, count steps to record, counted from the first that this process makes, from 0
  StepTrace(std::string path, std::int64_t first, std::int64_t count);

  bool wants_next() const { return seen_ >= first_ && !complete(); }
  bool complete() const { return seen_ >= first_ + count_; }

  /// Adds a step, or passes over one that is not wanted.
  /// @param number of the step in the run, from 1
  void add(std::int64_t number, const std::vector<PhaseClock::Span>& phases,
           const std::vector<ExchangeSpan>& exchanges);

  /// Rank 0 writes the file. Collective. @returns its path. @throws OutputError
  const std::string& write(launch::World& world) const;

 private:
  void event(const std::string& name, int lane, PhaseClock::Clock::time_point begin,
             PhaseClock::Clock::time_point end, const nlohmann::json& arguments);

  std::string path_;
  std::int64_t first_;
  std::int64_t count_;
  std::int64_t seen_ = 0;
  PhaseClock::Clock::time_point zero_{};
  bool has_zero_ = false;
  nlohmann::json events_ = nlohmann::json::array();  ///< without their process
};

}  // namespace casvit::trainer
