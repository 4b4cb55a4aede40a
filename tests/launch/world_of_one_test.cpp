#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "launch/error.h"
#include "launch/guard.h"
#include "launch/world.h"

namespace casvit::launch {
namespace {

/// Everything a launcher would set is taken away (this test may itself run below one).
class WorldOfOne : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "SLURM_STEP_ID",
                             "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"}) {
      unsetenv(name);
    }
  }
  void TearDown() override { SetUp(); }
};

TEST_F(WorldOfOne, IsWhatThereIsWithoutALauncher) {
  EXPECT_FALSE(started_by_launcher());
  World world = World::start();
  EXPECT_EQ(world.rank(), 0);
  EXPECT_EQ(world.size(), 1);
  EXPECT_EQ(world.local_rank(), 0);
  EXPECT_EQ(world.local_size(), 1);
  EXPECT_EQ(world.node_count(), 1);
  EXPECT_FALSE(world.host().empty());
  EXPECT_EQ(world.plan_threads(0).compute, usable_cores());
  world.communicator().barrier();
  world.finish();
  world.finish();
}

TEST_F(WorldOfOne, KnowsLaunchersByTheirEnvironment) {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"}) {
    setenv(name, "1", 1);
    EXPECT_TRUE(started_by_launcher()) << name;
    unsetenv(name);
  }
  // A batch script of Slurm is not a step.
  setenv("SLURM_PROCID", "0", 1);
  EXPECT_FALSE(started_by_launcher());
}

TEST_F(WorldOfOne, IsRefusedToEachOfSeveralTasksOfSrun) {
  setenv("SLURM_STEP_ID", "0", 1);
  setenv("SLURM_STEP_NUM_TASKS", "1", 1);
  EXPECT_EQ(World::start().size(), 1);
  setenv("SLURM_STEP_NUM_TASKS", "4", 1);
  EXPECT_THROW(World::start(), WorldError);
}

TEST_F(WorldOfOne, CollectivesKeepTheContract) {
  World world = World::start();
  Communicator& communicator = world.communicator();
  EXPECT_EQ(communicator.size(), 1);
  const std::vector<float> input{1, 2, 3};
  std::vector<float> buffer = input;
  communicator.all_reduce(buffer.data(), 3, ElementType::kFloat32, ReduceOp::kSum).wait();
  EXPECT_EQ(buffer, input);
  communicator.broadcast(buffer.data(), 3, ElementType::kFloat32, 0).wait();
  EXPECT_EQ(buffer, input);
  std::vector<float> output(3);
  Completion completion = communicator.reduce_scatter(input.data(), output.data(), 3,
                                                      ElementType::kFloat32, ReduceOp::kMax);
  EXPECT_TRUE(completion.done());
  completion.wait();
  completion.wait();
  EXPECT_EQ(output, input);
  output.assign(3, 0);
  communicator.all_gather(input.data(), output.data(), 3, ElementType::kFloat32).wait();
  EXPECT_EQ(output, input);
  communicator.all_gather(nullptr, nullptr, 0, ElementType::kFloat32).wait();
  EXPECT_EQ(all_gather_strings(communicator, "one"), std::vector<std::string>{"one"});

  EXPECT_THROW(communicator.broadcast(buffer.data(), 3, ElementType::kFloat32, 1),
               std::invalid_argument);
  EXPECT_THROW(communicator.all_reduce(nullptr, 3, ElementType::kFloat32, ReduceOp::kSum),
               std::invalid_argument);
  EXPECT_THROW(communicator.all_reduce(buffer.data(), static_cast<std::size_t>(-1) / 2,
                                       ElementType::kFloat32, ReduceOp::kSum),
               std::invalid_argument);
}

struct TestInputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

ExitCode classify(const std::exception& error) {
  return dynamic_cast<const TestInputError*>(&error) != nullptr ? ExitCode::kInput
                                                                : ExitCode::kDefect;
}

/// Exit code and standard error of a guarded body.
std::pair<int, std::string> guarded(const std::function<ExitCode()>& body) {
  World world = World::start();
  testing::internal::CaptureStderr();
  const int code = run_guarded(world, body, classify);
  return {code, testing::internal::GetCapturedStderr()};
}

TEST_F(WorldOfOne, GuardMapsExceptionsToExitCodes) {
  EXPECT_EQ(guarded([] { return ExitCode::kDone; }), std::pair(0, std::string()));
  EXPECT_EQ(guarded([] { return ExitCode::kInterrupted; }), std::pair(75, std::string()));
  EXPECT_EQ(guarded([]() -> ExitCode { throw TestInputError("a.h5: cut short"); }),
            std::pair(3, std::string("casvit: a.h5: cut short\n")));
  EXPECT_EQ(guarded([]() -> ExitCode { throw CommunicationError("lost"); }),
            std::pair(5, std::string("casvit: lost\n")));
  EXPECT_EQ(guarded([]() -> ExitCode { throw WorldError("3 ranks"); }),
            std::pair(2, std::string("casvit: 3 ranks\n")));
  EXPECT_EQ(guarded([]() -> ExitCode { throw std::logic_error("index 7"); }),
            std::pair(70, std::string("casvit: internal error, please report it: index 7\n")));
  EXPECT_EQ(guarded([]() -> ExitCode { throw 7; }).first, 70);
}

TEST_F(WorldOfOne, AWorldThatCannotStartIsReported) {
  setenv("SLURM_STEP_ID", "0", 1);
  setenv("SLURM_STEP_NUM_TASKS", "4", 1);
  testing::internal::CaptureStderr();
  const int code = run_in_world(
      [](World&) {
        ADD_FAILURE() << "started";
        return ExitCode::kDone;
      },
      classify);
  EXPECT_EQ(code, 2);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("srun"), std::string::npos);
}

TEST_F(WorldOfOne, AbortSaysWhyAndExitsWithTheCode) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(World::start().abort(ExitCode::kOutput, "disk full"), testing::ExitedWithCode(6),
              "^casvit: disk full\n$");
}

}  // namespace
}  // namespace casvit::launch
