#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/config/config.h"

namespace casvit::trainer {

/// Who gave each key its value: "recipe.yaml:12", or "--set clip.norm=5"; nobody for a default.
using Origins = std::map<std::string, std::string, std::less<>>;

/// Checks what a key alone cannot tell: values that must fit one another.
/// @throws ConfigError naming the place of the value that is at odds, and what would do.
void check_combinations(const Config& config, const Origins& origins);

struct LoadedConfig {
  Config config;
  Origins origins;
};

/// load_config, and who gave each value. @throws ConfigError
LoadedConfig load_config_with_origins(const std::string& path,
                                      const std::vector<Override>& overrides);

/// The effective configuration as YAML, each key with its origin and its description as a comment.
std::string to_yaml(const LoadedConfig& loaded);

/// One key with its value and its default, as YAML.
struct KeyValue {
  std::string key;
  std::string value;
  std::string default_value;
};

/// Every key, in the order of `to_yaml`.
std::vector<KeyValue> key_values(const Config& config);

}  // namespace casvit::trainer
