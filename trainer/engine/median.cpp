#include "trainer/engine/median.h"

#include <algorithm>
#include <cstddef>

namespace casvit::trainer {

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace casvit::trainer
