#pragma once

#include <string>
#include <vector>

namespace casvit::trainer {

/// In what the configurations of some ranks differ from the others', a line each that begins with a
/// line break: "\n  rank 1: train.seed: 7 -> 8". Of many ranks and keys the first few are named.
/// @param yamls to_yaml of every rank's
/// @param others the ranks that differ from the rest, not empty and not all
std::string configuration_differences(const std::vector<std::string>& yamls,
                                      const std::vector<int>& others);

}  // namespace casvit::trainer
