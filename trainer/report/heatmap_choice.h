#pragma once

#include <cstddef>
#include <vector>

#include "trainer/report/evaluation.h"

namespace casvit::trainer {

/// Which pictures are worth a closer look, as indices into `evaluation`: the surest mistakes, then
/// the surest right answers, each by falling confidence and, where that is equal, in the data's
/// order. Mistakes of a pair of classes (true, answered) that came already, and right answers of a
/// class that came already, wait until every other kind has had its turn. Where there are too few
/// of one sort the other fills the places.
std::vector<std::size_t> choose_for_heatmaps(const Evaluation& evaluation, std::size_t mistakes,
                                             std::size_t right_answers);

}  // namespace casvit::trainer
