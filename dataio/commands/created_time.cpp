#include "dataio/commands/created_time.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include "dataio/error.h"

namespace casvit::dataio {

std::string created_time() {
  std::time_t seconds = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  // NOLINTNEXTLINE(concurrency-mt-unsafe): read before any thread is started
  if (const char* epoch = std::getenv("SOURCE_DATE_EPOCH"); epoch != nullptr) {
    const std::string_view text = epoch;
    const auto [end, error] = std::from_chars(text.begin(), text.end(), seconds);
    if (error != std::errc() || end != text.end() || seconds < 0) {
      throw UsageError("SOURCE_DATE_EPOCH is '" + std::string(text) +
                       "', not a number of seconds since 1970");
    }
  }
  std::tm utc{};
  std::array<char, 64> text{};
  if (gmtime_r(&seconds, &utc) == nullptr ||
      std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) {
    throw UsageError("SOURCE_DATE_EPOCH is out of range");
  }
  return text.data();
}

}  // namespace casvit::dataio
