#pragma once

#include <vector>

namespace casvit::trainer {

/// The middle value, or the mean of the two middle ones. @param values not empty
double median(std::vector<double> values);

}  // namespace casvit::trainer
