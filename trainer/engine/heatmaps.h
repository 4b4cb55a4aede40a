#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "dataio/container/dataset.h"
#include "trainer/model/rcvit.h"
#include "trainer/report/evaluation.h"
#include "trainer/report/report.h"

namespace casvit::trainer {

/// What the network looks at in a few pictures of an evaluation: four of its surest mistakes and
/// two of its surest right answers (heatmap_choice.h). Of each the picture as the network got it,
/// Grad-CAM for the answer and for the class to compare it with (the true one; for a right answer
/// the second guess), and the gates of the last block of stages 2 to 4 (attention_maps.h);
/// docs/report.md says how they are scaled. JPEGs of `kThumbnailSide`. One picture is computed at a
/// time; one that cannot be read is left out.
/// @param model that `evaluation` is of, on any device
/// @param transform that it was evaluated with
std::vector<Heatmap> heatmaps(const Rcvit& model, const Evaluation& evaluation,
                              const dataio::Dataset& data,
                              const dataio::EvalTransformOptions& transform);

}  // namespace casvit::trainer
