#pragma once

#include <gtest/gtest.h>
#include <xxhash.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace casvit::dataio::testing {

/// tests/dataio/golden/; tests run in tests/.
inline const std::string kGoldenFolder = "dataio/golden/";

inline std::vector<std::uint8_t> read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path + " (run tests in tests/)");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline nlohmann::json read_golden(const std::string& name) {
  return nlohmann::json::parse(read_bytes(kGoldenFolder + name));
}

/// As xxhash.xxh3_64_hexdigest in the scripts that made the golden files.
template <typename T>
std::string xxh3(const T* data, std::size_t count) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(data, count * sizeof(T))));
  return text;
}

template <typename T>
std::string xxh3(const std::vector<T>& data) {
  return xxh3(data.data(), data.size());
}

}  // namespace casvit::dataio::testing
