#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "tests/launch/child_process.h"

namespace casvit::launch {

/// A program under mpirun whose ranks each print "pid 1234 is rank 0." once all is up. It lies
/// beside the running test.
class MpiJob : public ChildProcess {
 public:
  MpiJob(int ranks, const std::string& program, const std::vector<std::string>& arguments);

  /// Waits until all ranks are at work.
  bool wait_until_up(std::chrono::seconds limit = std::chrono::seconds(60));

  pid_t pid_of(int rank) const;

  /// Ranks that outlived the job; looked at a little later, for the kernel takes its time.
  int survivors() const;

 private:
  int ranks_;
};

/// How often `part` is in `text`.
std::size_t count_of(const std::string& text, const std::string& part);

}  // namespace casvit::launch
