// What failure_test.cpp runs under mpirun: a program whose rank 1 (or all ranks) goes wrong in the
// way that its argument names, while the others wait for it in a collective.

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "launch/error.h"
#include "launch/guard.h"
#include "launch/mpi/check.h"

namespace casvit::launch {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

/// Faults in MPI itself: the functions below take the place of the library's.
std::atomic<bool> test_fails{false};
std::atomic<bool> test_hangs{false};
std::atomic<bool> abort_hangs{false};

[[noreturn]] void hang() {
  while (true) std::this_thread::sleep_for(hours(1));
}

}  // namespace
}  // namespace casvit::launch

extern "C" int MPI_Testall(int count, MPI_Request requests[], int* flag, MPI_Status statuses[]) {
  if (casvit::launch::test_hangs) casvit::launch::hang();
  if (casvit::launch::test_fails) return MPI_ERR_OTHER;
  return PMPI_Testall(count, requests, flag, statuses);
}

extern "C" int MPI_Abort(MPI_Comm communicator, int code) {
  if (casvit::launch::abort_hangs) casvit::launch::hang();
  return PMPI_Abort(communicator, code);
}

namespace casvit::launch {
namespace {

struct InputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

ExitCode classify(const std::exception& error) {
  return dynamic_cast<const InputError*>(&error) != nullptr ? ExitCode::kInput : ExitCode::kDefect;
}

void reduce_for_ever(World& world) {
  std::vector<float> buffer(100'000, 1.0F);
  while (true) {
    world.communicator()
        .all_reduce(buffer.data(), buffer.size(), ElementType::kFloat32, ReduceOp::kMax)
        .wait();
  }
}

/// Issues something that cannot complete, for the MPI thread to be busy with.
Completion start_waiting(World& world, std::vector<float>& buffer) {
  Completion completion = world.communicator().all_reduce(buffer.data(), buffer.size(),
                                                          ElementType::kFloat32, ReduceOp::kSum);
  std::this_thread::sleep_for(milliseconds(100));
  return completion;
}

const std::map<std::string, std::function<void(World&)>> kFailures{
    {"throw-input", [](World&) { throw InputError("train.h5: sample 7 is corrupt"); }},
    {"throw-defect", [](World&) { throw std::logic_error("index 7 of 5"); }},
    {"throw-while-waiting",
     [](World& world) {
       static std::vector<float> buffer(1000);
       static Completion completion = start_waiting(world, buffer);
       throw InputError("train.h5: sample 7 is corrupt");
     }},
    {"abort-from-a-thread",
     [](World& world) {
       std::thread([&] { world.abort(ExitCode::kOutput, "disk full"); }).detach();
       hang();
     }},
    {"abort-twice",
     [](World& world) {
       std::thread([&] { world.abort(ExitCode::kOutput, "disk full"); }).detach();
       std::thread([&] { world.abort(ExitCode::kOutput, "disk full"); }).detach();
       hang();
     }},
    {"mpi-hangs",
     [](World& world) {
       test_hangs = true;
       static std::vector<float> buffer(1000);
       static Completion completion = start_waiting(world, buffer);
       throw InputError("train.h5: sample 7 is corrupt");
     }},
    {"abort-hangs",
     [](World&) {
       abort_hangs = true;
       throw InputError("train.h5: sample 7 is corrupt");
     }},
    {"mpi-fails",
     [](World& world) {
       test_fails = true;
       std::vector<float> buffer(1000);
       start_waiting(world, buffer).wait();
     }},
    {"wrong-count",
     [](World& world) {
       std::vector<float> buffer(50'000);
       start_waiting(world, buffer).wait();
     }},
    {"stdout-locked",
     [](World&) {
       std::thread([] {
         flockfile(stdout);
         hang();
       }).detach();
       std::this_thread::sleep_for(milliseconds(100));
       throw InputError("train.h5: sample 7 is corrupt");
     }},
    {"leaves", [](World&) { std::exit(0); }},
    {"returns-without-finish", [](World&) {}},
};

int run(const std::string& failure, bool everyone) {
  // Faults of messages need messages, which ranks of one node otherwise do without.
  if (failure.starts_with("mpi-")) setenv("CASVIT_SHARED_MEMORY", "off", 1);
  World world = World::start();
  const auto body = [&] {
    // Everything above is up everywhere before anything goes wrong.
    world.communicator().barrier();
    std::printf("pid %d is rank %d.\n", getpid(), world.rank());
    std::fflush(stdout);
    world.communicator().barrier();
    if (failure != "run" && (everyone || world.rank() == 1)) {
      kFailures.at(failure)(world);
      return ExitCode::kDone;
    }
    reduce_for_ever(world);
    return ExitCode::kDone;
  };
  return run_guarded(world, body, classify);
}

}  // namespace
}  // namespace casvit::launch

/// Usage: failing_program FAILURE one|all. FAILURE `run` reduces until it is killed.
int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return casvit::launch::run(argv[1], std::string(argv[2]) == "all");
}
