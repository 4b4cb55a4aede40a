#pragma once

#include <cstdint>
#include <optional>

#include "dataio/container/dataset.h"
#include "dataio/loader/loader.h"
#include "launch/threads.h"
#include "launch/world.h"
#include "trainer/config/config.h"
#include "trainer/engine/compute.h"
#include "trainer/engine/stage_data.h"
#include "trainer/optim/schedule.h"
#include "trainer/parallel/shard_plan.h"

namespace casvit::trainer {

/// What a run works on and with, decided before there is a model. The same on every rank but for
/// the device and the rank's own shards.
struct RunInputs {
  /// Stages the files where that was asked for, and opens them. Collective.
  /// @throws ConfigError, dataio::InputError, dataio::OutputError, StagingInterrupted
  RunInputs(const Config& config, launch::World& world);

  bool at_epoch_end(std::int64_t step) const {
    return step == plan.steps.first_step(plan.steps.epoch_of(step));
  }

  launch::ThreadPlan threads;
  Compute compute;
  StagedData staged;
  dataio::Dataset train;
  std::optional<dataio::Dataset> val;
  dataio::Normalization normalization;
  ShardPlan plan;
  TrainingSchedule schedule;
  std::int64_t last_step = 0;  ///< where this run stops: the schedule's end or train.max_steps
};

}  // namespace casvit::trainer
