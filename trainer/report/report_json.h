#pragma once

#include <string>

#include "trainer/report/figures.h"

namespace casvit::trainer {

/// report.json: `model`, `ema` (null without), each with accuracies in percent, their bootstrap
/// intervals, `macro_f1`, `log_loss` and `ece`; `weights` (which of the two the rest is of),
/// `comparison` of the two, `against` (another model on the same pictures; null without),
/// `bootstrap` (how the intervals were made), `samples`, `classes`, `confusion_matrix` (rows: true
/// class), `per_class`, `macro_avg`, `micro_avg`, `weighted_avg`, `calibration` (bins),
/// `train_samples` (by class), `time` (null where not known), `memory`, `config` (the YAML as an
/// object), `config_defaults` (of the keys that differ from them), `data`, `versions`, `cost`.
/// docs/report.md has the formulas.
std::string report_json(const Figures& figures);

}  // namespace casvit::trainer
