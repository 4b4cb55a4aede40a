#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "trainer/report/evaluation.h"

namespace casvit::trainer {

/// Source path of a sample, any bytes.
using PathOf = std::function<std::string(std::uint64_t sample)>;

/// predictions.csv and predict's output (RFC 4180, lines end in \n):
/// `path,label,top1,top1_probability,top2,top2_probability,...`. Class names where `classes` has
/// them, indices where it is empty; an unknown label is an empty field.
std::string predictions_csv(const Evaluation& evaluation, const std::vector<std::string>& classes,
                            const PathOf& path);

}  // namespace casvit::trainer
