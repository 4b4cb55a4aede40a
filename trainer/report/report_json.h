#pragma once

#include <string>

#include "trainer/report/figures.h"

namespace casvit::trainer {

/// report.json: `model`, `ema` (null without), `weights` (which of the two the rest is of),
/// `samples`, `classes`, `confusion_matrix` (rows: true class), `per_class`, `macro_avg`,
/// `weighted_avg`, `config` (the YAML as an object), `data`, `versions`, `cost`.
std::string report_json(const Figures& figures);

}  // namespace casvit::trainer
