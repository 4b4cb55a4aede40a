#pragma once

#include <cstdint>
#include <optional>

#include "launch/communicator.h"
#include "trainer/report/evaluation.h"

namespace casvit::trainer {

/// Adds what one sample's logits say to an evaluation, in float64: its likeliest classes (of equal
/// ones the lower first), and the loss against its label where there is one.
/// @param logits `[evaluation.classes]`; @param label -1: unknown, the loss is NaN
void judge(const float* logits, std::uint64_t sample, std::int32_t label, Evaluation& evaluation);

/// The same of several views of one sample: the mean of their probabilities (softmax of the logits)
/// is what counts. Views are added up in their order. @param logits `[views, evaluation.classes]`
void judge_views(const float* logits, int views, std::uint64_t sample, std::int32_t label,
                 Evaluation& evaluation);

/// Everyone's part, put together in the order of samples; nothing where one was stopped.
/// Collective.
std::optional<Evaluation> gather_evaluation(const Evaluation& mine, bool stopped,
                                            launch::Communicator& communicator);

}  // namespace casvit::trainer
