#include <algorithm>
#include <cstdint>

#include "launch/communicator.h"

namespace casvit::launch {

std::vector<std::string> all_gather_strings(Communicator& communicator, const std::string& mine,
                                            const std::string& purpose) {
  const auto ranks = static_cast<std::size_t>(communicator.size());
  const auto length = static_cast<std::int64_t>(mine.size());
  std::vector<std::int64_t> lengths(ranks);
  communicator.announce(purpose);
  communicator.all_gather(&length, lengths.data(), 1, ElementType::kInt64).wait();

  // Padded to the longest: the lengths are few and alike wherever this is used.
  const auto longest = static_cast<std::size_t>(*std::max_element(lengths.begin(), lengths.end()));
  std::string padded = mine;
  padded.resize(longest);
  std::string everyone(longest * ranks, '\0');
  communicator.announce(purpose);
  communicator.all_gather(padded.data(), everyone.data(), longest, ElementType::kUInt8).wait();

  std::vector<std::string> strings;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    strings.push_back(everyone.substr(rank * longest, static_cast<std::size_t>(lengths[rank])));
  }
  return strings;
}

}  // namespace casvit::launch
