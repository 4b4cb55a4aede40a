#pragma once

namespace casvit::scale {

/// Replaces launch::reduce in the simulation: the simulated time that a sum takes, and the sum
/// itself only where a test looks at the result. One setting for all simulated ranks, before they
/// start.
struct HostSum {
  double seconds_per_byte = 0;  ///< of all inputs
  bool adds = false;            ///< really adds float32 (and nothing else)
};
void set_host_sum(const HostSum& sum);

}  // namespace casvit::scale
