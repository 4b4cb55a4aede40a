#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataio/container/index.h"

namespace casvit::dataio {

/// One bar of a histogram: values in [lower, upper).
struct Bin {
  std::string name;  ///< "128 to 159"
  std::uint64_t count = 0;
};

/// What sorted numbers say at a glance.
struct Quantiles {
  double least = 0, tenth = 0, median = 0, ninetieth = 0, greatest = 0;
};

/// @param values at least one; sorted on return. Quantiles are those of numpy's `method="lower"`.
Quantiles quantiles_of(std::vector<double>& values);

/// Sizes and shapes of the pictures, from the index alone.
struct SizeDistribution {
  Quantiles width, height, shorter_side;
  Quantiles aspect_ratio;  ///< width / height
  Quantiles bytes;         ///< stored
  std::vector<Bin> sides;  ///< of the shorter side, without empty bins at the ends
  std::vector<Bin> aspects;
};
SizeDistribution size_distribution(const MappedIndex& index);

/// How evenly samples are spread over classes.
struct ClassBalance {
  std::uint64_t least = 0, greatest = 0;  ///< samples of a class
  double ratio = 0;                       ///< greatest / least; infinite where a class is empty
  /// Shannon entropy over that of equal classes: 1 when all classes are equal, 1 for one class.
  double evenness = 1;
};
ClassBalance class_balance(const std::vector<std::uint64_t>& counts);

}  // namespace casvit::dataio
