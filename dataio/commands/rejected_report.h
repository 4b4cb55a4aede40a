#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dataio/pack/packer.h"

namespace casvit::dataio {

nlohmann::ordered_json rejected_json(const std::vector<RejectedFile>& rejected);

/// Writes OUTPUT.rejected.json, or removes one of an earlier run where nothing was rejected.
/// @returns the report's path. @throws OutputError
std::string write_rejected_report(const std::string& output,
                                  const std::vector<RejectedFile>& rejected);

}  // namespace casvit::dataio
