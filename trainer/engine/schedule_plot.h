#pragma once

#include <string>

#include "dataio/loader/step_table.h"
#include "trainer/config/config.h"

namespace casvit::trainer {

/// What a configuration's schedules do over its epochs, as an SVG picture: learning rate, weight
/// decay, drop path, decay of the EMA and the share of mixed pictures, each where it is used.
std::string schedule_svg(const Config& config, const dataio::StepTable& steps);

}  // namespace casvit::trainer
