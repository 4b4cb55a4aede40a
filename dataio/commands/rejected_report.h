#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "dataio/pack/packer.h"

namespace casvit::dataio {

nlohmann::ordered_json rejected_json(const std::vector<RejectedFile>& rejected);

/// How many pictures each reason has, most frequent first, then by the reason's text.
std::vector<std::pair<std::string, std::uint64_t>> count_reasons(
    const std::vector<RejectedFile>& rejected);

/// Writes OUTPUT.rejected.json (the number of pictures, how many each reason has, and every
/// picture, one a line), or removes one of an earlier run where nothing was rejected.
/// @returns the report's path. @throws OutputError
std::string write_rejected_report(const std::string& output,
                                  const std::vector<RejectedFile>& rejected);

}  // namespace casvit::dataio
