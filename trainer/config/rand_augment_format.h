#pragma once

#include <string_view>

namespace casvit::trainer {

/// Whether `text` is empty or RandAugment in timm's notation: `rand` and, each after a dash,
/// `m<0 to 10>` magnitude, `mstd<number>` its deviation, `mmax<number>` its limit, `n<count>`
/// operations, `p<0 to 1>` their probability, `w<0>` weights, `inc<0|1>` increasing strength
/// (timm.data.auto_augment.rand_augment_transform).
bool is_rand_augment(std::string_view text);

}  // namespace casvit::trainer
