#pragma once

#include <vector>

#include "trainer/report/confusion.h"

namespace casvit::trainer {

/// The classes that a confusion matrix is shown of: all, or where there are more than a reader can
/// take in those with the most mistakes; in the order of the classes.
std::vector<int> shown_classes(const ConfusionMatrix& matrix);

/// Orders of the classes shown, as places in `shown`: those with the most mistakes first.
std::vector<int> by_mistakes(const ConfusionMatrix& matrix, const std::vector<int>& shown);

/// Those that are confused with each other side by side: a chain that begins with the most confused
/// pair and goes on with the class most confused with its end.
std::vector<int> by_confusion(const ConfusionMatrix& matrix, const std::vector<int>& shown);

}  // namespace casvit::trainer
