#include "launch/preflight/collective_speed.h"

#include <algorithm>
#include <chrono>
#include <vector>

namespace casvit::launch {
namespace {

constexpr int kSmall = 32;          // all_reduces of one element
constexpr double kLargeAtMost = 8;  // of the whole buffer
constexpr double kLargeSeconds = 0.4;

double seconds_of_one(Communicator& communicator, void* buffer, std::size_t count) {
  const auto start = std::chrono::steady_clock::now();
  communicator.announce("measuring");
  communicator.all_reduce(buffer, count, ElementType::kFloat32, ReduceOp::kMax).wait();
  communicator.synchronize();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double slowest(double mine, Communicator& host) {
  host.announce("measuring");
  host.all_reduce(&mine, 1, ElementType::kFloat64, ReduceOp::kMax).wait();
  return mine;
}

/// The middle one: a pause of the system's is no property of the network.
double median_seconds(Communicator& communicator, void* buffer, std::size_t count, int times) {
  std::vector<double> seconds;
  seconds.reserve(static_cast<std::size_t>(times));
  for (int i = 0; i < times; ++i) seconds.push_back(seconds_of_one(communicator, buffer, count));
  const auto middle = seconds.begin() + times / 2;
  std::nth_element(seconds.begin(), middle, seconds.end());
  return *middle;
}

}  // namespace

CollectiveSpeed measure_all_reduce(Communicator& communicator, void* buffer, std::size_t bytes,
                                   Communicator& host) {
  const std::size_t count = bytes / sizeof(float);
  CollectiveSpeed speed;
  speed.bytes = count * sizeof(float);
  seconds_of_one(communicator, buffer, 1);  // connections are made by the first message
  speed.latency_seconds = slowest(median_seconds(communicator, buffer, 1, kSmall), host);
  const double first = slowest(seconds_of_one(communicator, buffer, count), host);
  const int times = static_cast<int>(std::clamp(kLargeSeconds / first, 1.0, kLargeAtMost));
  const double seconds = slowest(median_seconds(communicator, buffer, count, times), host);
  const double ranks = communicator.size();
  speed.bytes_per_second = static_cast<double>(speed.bytes) / seconds;
  speed.bus_bytes_per_second = speed.bytes_per_second * 2 * (ranks - 1) / ranks;
  return speed;
}

}  // namespace casvit::launch
