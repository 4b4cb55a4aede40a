#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataio/container/index_builder.h"
#include "dataio/pack/plan.h"

namespace casvit::dataio {

/// What all records of a plan come to.
struct Assembly {
  std::vector<IndexBuilder> parts;
  /// Where each rank's pictures start in each part, `[ranks][parts]`.
  std::vector<std::vector<std::uint64_t>> starts;
  /// How many bytes each rank has for each part, `[ranks][parts]`.
  std::vector<std::vector<std::uint64_t>> sizes;
  std::vector<RejectedFile> rejected;
};

/// Candidates of rank `rank` of `size`: [first, second).
std::pair<std::uint64_t, std::uint64_t> range_of_rank(std::uint64_t candidates, int rank, int size);

/// @param records encoded, of each rank's range of the plan
/// @throws InputError for records that are not those of this plan; as check_classes_filled
Assembly assemble(const PackOptions& options, const PackPlan& plan,
                  const std::vector<std::string>& records);

}  // namespace casvit::dataio
