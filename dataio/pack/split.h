#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace casvit::dataio {

/// One part of a split: `--split train=0.8,val=0.2` has two.
struct SplitShare {
  std::string name;
  double fraction = 0;  ///< in (0, 1]; the fractions of a split add up to 1
};

/// Whether a part may be called so: letters, digits, '-' and '_', since it becomes part of a file
/// name.
bool is_part_name(const std::string& name);

/// @param text "NAME=FRACTION,NAME=FRACTION,..."
/// @throws UsageError for names that are not letters, digits, '-' and '_', repeated names, and
///         fractions that are no numbers in (0, 1] or do not add up to 1.
std::vector<SplitShare> parse_split(const std::string& text);

/// Deals the pictures of each class to the shares: which goes where is a keyed permutation of
/// (seed, class name), so that one class does not depend on the others; how many is the fraction,
/// rounded by largest remainder, but at least one picture for each share where the class has that
/// many.
/// @param labels `[n]` class of each picture. @returns `[n]` index of its share.
std::vector<std::size_t> stratified_split(std::span<const std::int32_t> labels,
                                          const std::vector<std::string>& classes,
                                          const std::vector<SplitShare>& shares,
                                          std::uint64_t seed);

}  // namespace casvit::dataio
