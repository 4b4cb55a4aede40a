#pragma once

#include <map>
#include <string>
#include <string_view>

namespace casvit::trainer {

/// Who gave each key its value: "recipe.yaml:12", or "--set clip.norm=5"; nobody for a default.
using Origins = std::map<std::string, std::string, std::less<>>;

struct Config;

/// Checks what a key alone cannot tell: values that must fit one another.
/// @throws ConfigError naming the place of the value that is at odds, and what would do.
void check_combinations(const Config& config, const Origins& origins);

}  // namespace casvit::trainer
