#include "launch/preflight/binary_hash.h"

#include <xxhash.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <new>
#include <vector>

namespace casvit::launch {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

std::string hex(XXH64_hash_t hash) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

}  // namespace

std::string binary_hash() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  const auto release = [](XXH3_state_t* state) { XXH3_freeState(state); };
  const std::unique_ptr<XXH3_state_t, decltype(release)> state(XXH3_createState(), release);
  if (!state) throw std::bad_alloc();
  XXH3_64bits_reset(state.get());
  std::vector<char> block(kBlockBytes);
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())) || file.gcount() > 0) {
    XXH3_64bits_update(state.get(), block.data(), static_cast<std::size_t>(file.gcount()));
  }
  return hex(file.eof() ? XXH3_64bits_digest(state.get()) : 0);
}

std::string hash_of(const std::string& bytes) {
  return hex(XXH3_64bits(bytes.data(), bytes.size()));
}

}  // namespace casvit::launch
