#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dataio/container/dataset.h"
#include "dataio/loader/loader.h"
#include "launch/communicator.h"
#include "trainer/engine/compute.h"
#include "trainer/model/rcvit.h"
#include "trainer/report/evaluation.h"

namespace casvit::trainer {

struct EvaluateOptions {
  dataio::EvalTransformOptions transform;
  dataio::LoaderOptions loader;
  int block_size = 64;             ///< pictures a forward pass; views count as such
  std::string progress_label;      ///< shown on rank 0; empty: silent
  std::function<bool()> stop;      ///< asked between blocks; may be empty
  std::uint64_t most_samples = 0;  ///< only the first of the data; 0: all
};

/// What each model says of every sample of `dataset`, once each: blocks of `block_size` samples are
/// dealt to the ranks in turn, computed in float32, and gathered to every rank. Where the
/// transform has several views, the mean of their probabilities counts. The pictures are
/// decoded once for all models. The result does not depend on the number of ranks.
/// @returns nullopt on every rank where one was told to stop
std::optional<std::vector<Evaluation>> evaluate(const std::vector<const Rcvit*>& models,
                                                const dataio::Dataset& dataset,
                                                const EvaluateOptions& options,
                                                const at::Device& device,
                                                launch::Communicator& communicator);

}  // namespace casvit::trainer
