#pragma once

#include "dataio/container/dataset.h"
#include "trainer/config/config.h"
#include "trainer/report/report.h"

namespace casvit::trainer {

/// What every report on `data` has in common: title, classes, paths, thumbnails, configuration,
/// versions and the date. Evaluations and facts are the caller's to add.
/// @param data must outlive what is returned
ReportInput report_input(const Config& config, const dataio::Dataset& data);

}  // namespace casvit::trainer
