#pragma once

#include <string>
#include <vector>

#include "dataio/augment/transform.h"

namespace casvit::trainer {

/// The views that `eval --tta` takes of each picture. `list` names, separated by commas, `hflip`
/// (each view mirrored too), `vflip` (upside down too) and `five-crop` (the four corners beside the
/// centre); they multiply: "hflip,five-crop" are the ten of torchvision's ten_crop.
/// @returns nothing for an empty list: the centre alone
/// @throws ConfigError for a word that is none of these, or twice there
std::vector<dataio::EvalView> test_time_views(const std::string& list);

}  // namespace casvit::trainer
