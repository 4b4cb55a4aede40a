#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "dataio/loader/loader.h"
#include "launch/communicator.h"

namespace casvit::trainer {

/// Brings together which corrupt pictures the ranks replaced, and says of each once what was wrong.
class ReplacementLog {
 public:
  struct News {
    std::int64_t count = 0;          ///< replacements of all ranks, repeated ones too
    std::vector<std::string> lines;  ///< a line for each picture not named before, by sample
  };

  /// Collective; the same on every rank. @param mine since the last call
  News gather(const std::vector<dataio::Replacement>& mine, launch::Communicator& communicator);

 private:
  std::set<std::uint64_t> named_;
};

}  // namespace casvit::trainer
