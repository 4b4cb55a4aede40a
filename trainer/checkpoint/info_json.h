#pragma once

#include <string>

#include "trainer/checkpoint/checkpoint.h"

namespace casvit::trainer {

/// CheckpointInfo as one JSON object under its members' names. Numbers that are not finite, which
/// JSON has not, are the strings "NaN", "Infinity", "-Infinity". Doubles come back exactly.
std::string info_to_json(const CheckpointInfo& info);

/// The way back. Unknown keys are passed over, so that members can be added within a format
/// version.
/// @throws CheckpointError naming `path` and the key that is missing, of another type or out of
/// range.
CheckpointInfo info_from_json(const std::string& text, const std::string& path);

}  // namespace casvit::trainer
