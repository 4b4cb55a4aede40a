#pragma once

#include <exception>
#include <string>

namespace casvit::trainer {

/// Whether memory ran out, of the machine or of a GPU.
bool is_memory_shortage(const std::exception& error);

/// "step 12: ..." as a ConfigError that says what would need less.
/// @param doing what was under way; @param advice a whole clause
[[noreturn]] void refuse_for_shortage(const std::string& doing, const std::string& advice);

/// Runs `work`; where memory runs out in it, that becomes a ConfigError with advice.
/// @param advice gives the text, and is asked only then
template <typename Work, typename Advice>
auto explaining_shortage(const std::string& doing, Advice advice, Work work) {
  try {
    return work();
  } catch (const std::exception& error) {
    if (!is_memory_shortage(error)) throw;
    refuse_for_shortage(doing, advice());
  }
}

/// What to do where a shard of training does not fit: as many pictures a step in smaller shards.
std::string smaller_shards(int shards, int shard_size, int image_size);

}  // namespace casvit::trainer
