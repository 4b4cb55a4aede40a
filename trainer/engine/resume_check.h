#pragma once

#include <string>
#include <vector>

#include "trainer/checkpoint/checkpoint.h"
#include "trainer/config/config.h"

namespace casvit::trainer {

struct ResumeCheck {
  std::vector<std::string> notes;  ///< what differs and what follows from it, a line each
};

/// Whether a run with `config` may continue from a checkpoint.
/// @throws ConfigError naming every key that would make it another experiment (model, batch, seed,
/// order), other training data, or, in reproducible mode, what would change the bits.
/// @param precision as Compute::precision says
ResumeCheck check_resume(const CheckpointInfo& checkpoint, const Config& config,
                         const std::string& data_hash, const std::string& precision, int threads,
                         int ranks);

}  // namespace casvit::trainer
