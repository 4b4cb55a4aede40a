#pragma once

#include <yaml-cpp/yaml.h>

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "trainer/config/field.h"

namespace casvit::trainer {

/// A YAML value is not what a key needs; the message says what it is and what would do. Whoever
/// knows the file adds where.
class ValueError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reads a YAML value strictly: a quoted "3" is a text, not a number; numbers are decimal and
/// finite.
/// @throws ValueError
void read_value(const YAML::Node& node, std::string& value);
void read_value(const YAML::Node& node, bool& value);
void read_value(const YAML::Node& node, int& value);
void read_value(const YAML::Node& node, std::int64_t& value);
void read_value(const YAML::Node& node, std::uint64_t& value);
void read_value(const YAML::Node& node, double& value);
void read_value(const YAML::Node& node, std::vector<std::string>& value);
void read_value(const YAML::Node& node, std::optional<double>& value);
void read_value(const YAML::Node& node, std::array<double, 2>& value);
void read_value(const YAML::Node& node, std::optional<std::array<double, 2>>& value);
void read_value(const YAML::Node& node, std::optional<std::array<double, 3>>& value);

/// As YAML, on one line; `read_value` gives the same value back. Numbers are as short as that
/// allows.
std::string print_value(const std::string& value);
std::string print_value(bool value);
std::string print_value(int value);
std::string print_value(std::int64_t value);
std::string print_value(std::uint64_t value);
std::string print_value(double value);
std::string print_value(const std::vector<std::string>& value);
std::string print_value(const std::optional<double>& value);
std::string print_value(const std::array<double, 2>& value);
std::string print_value(const std::optional<std::array<double, 2>>& value);
std::string print_value(const std::optional<std::array<double, 3>>& value);

/// The value of `field` in `config`, as YAML.
std::string print_field(const Field& field, const Config& config);

/// "whole number", "list of 2 numbers", ...
std::string type_name(const Field& field);

/// "above 0 and at most 1", "auto, cpu or cuda"; empty where everything of the type will do.
std::string describe(const Permitted& permitted);

/// @throws ValueError "is 0; it must be at least 1" where the field's value is not permitted.
void check_permitted(const Field& field, const Config& config);

}  // namespace casvit::trainer
