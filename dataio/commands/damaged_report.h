#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dataio/inspect/damaged_sample.h"

namespace casvit::dataio {

/// A line on standard error: "casvit-pack: MESSAGE".
void complain(const std::string& message);

/// The first few samples, and how many more there are in `where`.
void complain_about(const std::vector<DamagedSample>& damaged, const std::string& where);

nlohmann::ordered_json damaged_json(const std::vector<DamagedSample>& damaged);

}  // namespace casvit::dataio
