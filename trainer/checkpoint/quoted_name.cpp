#include "trainer/checkpoint/quoted_name.h"

#include <cstddef>
#include <nlohmann/json.hpp>

namespace casvit::trainer {

namespace {

constexpr std::size_t kLongest = 200;

}  // namespace

std::string in_quotes(std::string_view name) {
  return '"' + escaped(name.substr(0, kLongest)) + '"' + (name.size() > kLongest ? "..." : "");
}

std::string escaped(std::string_view name) {
  using nlohmann::json;
  const std::string shown(name.substr(0, kLongest));
  const std::string quoted = json(shown).dump(-1, ' ', true, json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2) + (name.size() > kLongest ? "..." : "");
}

}  // namespace casvit::trainer
