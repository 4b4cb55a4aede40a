#include "tests/launch/world_main.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "launch/guard.h"

namespace casvit::launch {
namespace {

World* the_world = nullptr;

/// Ranks other than the first say only what failed.
class FailurePrinter : public testing::EmptyTestEventListener {
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::fprintf(stderr, "rank %d: %s:%d: %s\n", the_world->rank(), result.file_name(),
                 result.line_number(), result.message());
  }
};

/// One result for the whole job: a rank that failed makes all of them fail, and all leave alike.
bool passed_everywhere(bool passed) {
  std::int64_t failures = passed ? 0 : 1;
  the_world->communicator().all_reduce(&failures, 1, ElementType::kInt64, ReduceOp::kSum).wait();
  return failures == 0;
}

ExitCode run_tests(World& world) {
  the_world = &world;
  if (world.rank() != 0) {
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new FailurePrinter);
  }
  return passed_everywhere(RUN_ALL_TESTS() == 0) ? ExitCode::kDone : ExitCode::kDefect;
}

}  // namespace

World& test_world() { return *the_world; }

}  // namespace casvit::launch

int main(int argc, char** argv) {
  using casvit::launch::ExitCode;
  testing::InitGoogleTest(&argc, argv);
  return casvit::launch::run_in_world(casvit::launch::run_tests,
                                      [](const std::exception&) { return ExitCode::kDefect; });
}
