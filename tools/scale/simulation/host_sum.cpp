#include "tools/scale/simulation/host_sum.h"

#include <algorithm>
#include <simgrid/s4u.hpp>
#include <stdexcept>
#include <vector>

#include "launch/reduction.h"

namespace casvit::scale {
namespace {

HostSum& setting() {
  static HostSum sum;
  return sum;
}

}  // namespace

void set_host_sum(const HostSum& sum) { setting() = sum; }

}  // namespace casvit::scale

namespace casvit::launch {

void reduce(std::span<const void* const> inputs, void* output, std::size_t count, ElementType type,
            ReduceOp op) {
  const scale::HostSum& sum = scale::setting();
  if (sum.adds) {
    if (type != ElementType::kFloat32 || op != ReduceOp::kSum) {
      throw std::invalid_argument("the simulation adds float32 only");
    }
    std::vector<float> total(count, 0.0F);
    for (const void* input : inputs) {
      const auto* values = static_cast<const float*>(input);
      for (std::size_t i = 0; i < count; ++i) total[i] += values[i];
    }
    std::copy(total.begin(), total.end(), static_cast<float*>(output));
  }
  const double bytes = static_cast<double>(inputs.size() * count * element_bytes(type));
  if (sum.seconds_per_byte > 0) {
    simgrid::s4u::this_actor::sleep_for(bytes * sum.seconds_per_byte);
  }
}

}  // namespace casvit::launch
