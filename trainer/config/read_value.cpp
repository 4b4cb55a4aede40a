#include <charconv>
#include <cmath>
#include <string_view>

#include "trainer/config/value.h"

namespace casvit::trainer {
namespace {

std::string shorten(const std::string& text) {
  constexpr std::size_t kLongest = 60;
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + "...";
}

/// What stands there, for messages.
std::string describe_node(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Null:
      return "nothing";
    case YAML::NodeType::Map:
      return "a section";
    case YAML::NodeType::Sequence:
      return "a list of " + std::to_string(node.size());
    default:
      return (node.Tag() == "!" ? "the text \"" : "\"") + shorten(node.Scalar()) + "\"";
  }
}

[[noreturn]] void wrong_type(const char* expected, const YAML::Node& node) {
  throw ValueError(std::string("needs ") + expected + ", but has " + describe_node(node));
}

/// The text of an unquoted scalar: what may be a number or a truth value.
std::string_view plain_text(const YAML::Node& node, const char* expected) {
  if (!node.IsScalar() || node.Tag() == "!") wrong_type(expected, node);
  std::string_view text = node.Scalar();
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  return text;
}

template <typename Integer>
void read_integer(const YAML::Node& node, Integer& value) {
  constexpr const char* kExpected = "a whole number";
  const std::string_view text = plain_text(node, kExpected);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = end == text.data() + text.size();
  if (whole && error == std::errc::result_out_of_range) {
    throw ValueError("is " + shorten(node.Scalar()) + ", too large a number to be held");
  }
  if (std::is_unsigned_v<Integer> && text.starts_with('-')) {
    throw ValueError("is " + shorten(node.Scalar()) + "; it must be at least 0");
  }
  if (!whole || error != std::errc()) wrong_type(kExpected, node);
}

template <std::size_t size>
void read_numbers(const YAML::Node& node, std::array<double, size>& value) {
  static_assert(size == 2 || size == 3);
  constexpr const char* kExpected = size == 2 ? "a list of 2 numbers such as [0.08, 1]"
                                              : "a list of 3 numbers such as [0.485, 0.456, 0.406]";
  if (!node.IsSequence() || node.size() != size) wrong_type(kExpected, node);
  for (std::size_t i = 0; i < size; ++i) read_value(node[i], value[i]);
}

template <std::size_t size>
void read_optional_numbers(const YAML::Node& node, std::optional<std::array<double, size>>& value) {
  if (node.IsNull()) {
    value.reset();
    return;
  }
  read_numbers(node, value.emplace());
}

}  // namespace

void read_value(const YAML::Node& node, std::string& value) {
  if (!node.IsScalar() && !node.IsNull()) wrong_type("a text", node);
  value = node.IsNull() ? std::string() : node.Scalar();
}

void read_value(const YAML::Node& node, bool& value) {
  const std::string_view text = plain_text(node, "true or false");
  if (text == "true" || text == "True" || text == "TRUE") {
    value = true;
  } else if (text == "false" || text == "False" || text == "FALSE") {
    value = false;
  } else {
    wrong_type("true or false", node);
  }
}

void read_value(const YAML::Node& node, int& value) { read_integer(node, value); }
void read_value(const YAML::Node& node, std::int64_t& value) { read_integer(node, value); }
void read_value(const YAML::Node& node, std::uint64_t& value) { read_integer(node, value); }

void read_value(const YAML::Node& node, double& value) {
  constexpr const char* kExpected = "a number";
  const std::string_view text = plain_text(node, kExpected);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) wrong_type(kExpected, node);
  if (error == std::errc::result_out_of_range) {
    throw ValueError("is " + shorten(node.Scalar()) + ", beyond what a double can hold");
  }
  if (error != std::errc() || !std::isfinite(value)) wrong_type("a finite number", node);
}

void read_value(const YAML::Node& node, std::vector<std::string>& value) {
  value.clear();
  if (node.IsScalar()) {
    value.push_back(node.Scalar());
    return;
  }
  if (!node.IsSequence()) wrong_type("a text or a list of texts", node);
  for (const YAML::Node& element : node) {
    if (!element.IsScalar()) wrong_type("a text in each place of its list", element);
    value.push_back(element.Scalar());
  }
}

void read_value(const YAML::Node& node, std::optional<double>& value) {
  if (node.IsNull()) {
    value.reset();
  } else {
    read_value(node, value.emplace());
  }
}

void read_value(const YAML::Node& node, std::array<double, 2>& value) { read_numbers(node, value); }

void read_value(const YAML::Node& node, std::optional<std::array<double, 2>>& value) {
  read_optional_numbers(node, value);
}

void read_value(const YAML::Node& node, std::optional<std::array<double, 3>>& value) {
  read_optional_numbers(node, value);
}

}  // namespace casvit::trainer
