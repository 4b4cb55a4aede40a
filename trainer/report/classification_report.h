#pragma once

#include <string>
#include <vector>

#include "trainer/report/confusion.h"

namespace casvit::trainer {

/// What scikit-learn's classification_report(y_true, y_pred, labels=range(C), target_names=classes,
/// digits=4, zero_division=0) returns, character for character.
std::string classification_report(const ClassScores& scores,
                                  const std::vector<std::string>& classes);

}  // namespace casvit::trainer
