#include <algorithm>
#include <cmath>
#include <type_traits>

#include "trainer/config/value.h"

namespace casvit::trainer {
namespace {

std::string describe(const Range& range) {
  std::string low;
  std::string high;
  if (std::isfinite(range.low)) {
    low = (range.low_open ? "above " : "at least ") + print_value(range.low);
  }
  if (std::isfinite(range.high)) {
    high = (range.high_open ? "below " : "at most ") + print_value(range.high);
  }
  return low + (low.empty() || high.empty() ? "" : " and ") + high;
}

std::string describe(const OneOf& choice) {
  std::string out;
  for (std::size_t i = 0; i < choice.words.size(); ++i) {
    if (i > 0) out += i + 1 == choice.words.size() ? " or " : ", ";
    out += choice.words[i];
  }
  return out;
}

std::string describe(const Format& format) { return std::string(format.expectation); }
std::string describe(std::monostate) { return {}; }

bool holds(const Range& range, double value) {
  return (range.low_open ? value > range.low : value >= range.low) &&
         (range.high_open ? value < range.high : value <= range.high);
}

template <typename T>
bool holds(const Permitted& permitted, const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    if (const auto* choice = std::get_if<OneOf>(&permitted)) {
      return std::ranges::find(choice->words, value) != choice->words.end();
    }
    const auto* format = std::get_if<Format>(&permitted);
    return format == nullptr || format->holds(value);
  } else if constexpr (std::is_arithmetic_v<T>) {
    const auto* range = std::get_if<Range>(&permitted);
    return range == nullptr || holds(*range, static_cast<double>(value));
  } else {
    return true;
  }
}

template <typename T, std::size_t size>
bool holds(const Permitted& permitted, const std::array<T, size>& values) {
  return std::ranges::all_of(values, [&](const T& value) { return holds(permitted, value); });
}

template <typename T>
bool holds(const Permitted& permitted, const std::optional<T>& value) {
  return !value || holds(permitted, *value);
}

constexpr const char* type_of(std::string*) { return "text"; }
constexpr const char* type_of(bool*) { return "true or false"; }
constexpr const char* type_of(int*) { return "whole number"; }
constexpr const char* type_of(std::int64_t*) { return "whole number"; }
constexpr const char* type_of(std::uint64_t*) { return "whole number"; }
constexpr const char* type_of(double*) { return "number"; }
constexpr const char* type_of(std::vector<std::string>*) { return "text or list of texts"; }
constexpr const char* type_of(std::optional<double>*) { return "number, or null"; }
constexpr const char* type_of(std::array<double, 2>*) { return "list of 2 numbers"; }
constexpr const char* type_of(std::optional<std::array<double, 2>>*) {
  return "list of 2 numbers, or null";
}
constexpr const char* type_of(std::optional<std::array<double, 3>>*) {
  return "list of 3 numbers, or null";
}

}  // namespace

std::string type_name(const Field& field) {
  Config config;
  return std::visit([&](auto member) { return std::string(type_of(&member(config))); },
                    field.member);
}

std::string describe(const Permitted& permitted) {
  return std::visit([](const auto& rule) { return describe(rule); }, permitted);
}

void check_permitted(const Field& field, const Config& config) {
  Config copy = config;
  const bool fine =
      std::visit([&](auto member) { return holds(field.permitted, member(copy)); }, field.member);
  if (!fine) {
    const bool list = type_name(field).starts_with("list");
    throw ValueError("is " + print_field(field, config) + "; " + (list ? "each number" : "it") +
                     " must be " + describe(field.permitted));
  }
}

}  // namespace casvit::trainer
