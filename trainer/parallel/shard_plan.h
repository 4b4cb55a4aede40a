#pragma once

#include <cstdint>
#include <string>

#include "dataio/loader/loader.h"
#include "dataio/loader/step_table.h"
#include "dataio/random/sample_order.h"

namespace casvit::trainer {

/// @throws ConfigError when ranks do not divide shards, naming the counts that would do.
void refuse_unequal_shards(std::int64_t shards, std::int64_t ranks);

/// Which shards of every step are this rank's.
struct ShardPlan {
  std::int64_t shards = 1;
  std::int64_t ranks = 1;
  std::int64_t rank = 0;
  dataio::StepTable steps;

  /// @throws ConfigError when ranks do not divide shards, or the data hold less than one global
  /// batch.
  static ShardPlan make(const dataio::StepTableOptions& options, std::int64_t ranks,
                        std::int64_t rank);

  std::int64_t shards_per_rank() const { return shards / ranks; }
  std::int64_t first_shard() const { return rank * shards_per_rank(); }

  /// This rank's shards from step `first_step` (counted over the whole run, from 0) up to, not
  /// including, `last_step`, in the order in which it works through them.
  dataio::BatchSequence sequence(const dataio::SampleOrder& order, std::int64_t first_step,
                                 std::int64_t last_step) const;
};

}  // namespace casvit::trainer
