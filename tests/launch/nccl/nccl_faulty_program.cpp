// What nccl_fault_test.cpp runs under mpirun: ranks exchange the gradients of a made-up model over
// the fake NCCL, step after step, and on one of them something goes wrong at the given call.

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "launch/guard.h"
#include "launch/mpi/check.h"
#include "launch/nccl/device.h"
#include "launch/nccl_communicator.h"
#include "tests/launch/nccl/fake_gpu.h"

namespace casvit::launch {
namespace {

std::atomic<bool> mpi_thread_is_to_end{false};

}  // namespace
}  // namespace casvit::launch

/// A barrier of messages, on the thread that owns MPI. It ends like a process that is killed: the
/// kernel gives up the mutex that it holds for life.
extern "C" int MPI_Ibarrier(MPI_Comm communicator, MPI_Request* request) {
  if (casvit::launch::mpi_thread_is_to_end) syscall(SYS_exit, 0);
  return PMPI_Ibarrier(communicator, request);
}

namespace casvit::launch {
namespace {

struct Plan {
  std::string fault;
  int rank = 0;
  int call = 0;
  double timeout_seconds = 0;
};

struct InputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

ExitCode classify(const std::exception& error) {
  return dynamic_cast<const InputError*>(&error) != nullptr ? ExitCode::kInput : ExitCode::kDefect;
}

[[noreturn]] void hang() {
  while (true) std::this_thread::sleep_for(std::chrono::hours(1));
}

void plant(const Plan& plan) {
  fake::Faults& faults = fake::faults();
  if (plan.fault == "error") faults.error_at = plan.call;
  if (plan.fault == "call-stalls") faults.call_stalls_at = plan.call;
  if (plan.fault == "stream-stalls") faults.stream_stalls_at = plan.call;
  if (plan.fault == "abort-stalls") faults.stream_stalls_at = plan.call;
  faults.abort_stalls = plan.fault == "abort-stalls";
  if (plan.fault == "async-error") faults.async_error_at = plan.call;
  if (plan.fault == "device-fails") faults.device_fails_at = plan.call;
  faults.init_fails = plan.fault == "init-fails";
  faults.init_stalls = plan.fault == "init-stalls";
}

class Steps {
 public:
  Steps(Communicator& nccl, const Plan& plan, bool strikes, cudaStream_t compute,
        std::function<void()> vanish)
      : nccl_(nccl),
        plan_(plan),
        strikes_(strikes),
        compute_(compute),
        vanish_(std::move(vanish)) {}

  [[noreturn]] void run() {
    // Never freed: what is in flight when an exception comes may still use them.
    auto& buckets = *new std::vector<std::vector<float>>(3, std::vector<float>(2000, 1.0F));
    while (true) {
      for (auto& bucket : buckets) {
        fake::launch_on(compute_, [&bucket] { bucket[0] += 1; });
      }
      std::vector<Completion> completions;
      for (std::size_t i = 0; i < buckets.size(); ++i) {
        count("gradients from w" + std::to_string(i) + " on");
        completions.push_back(nccl_.all_reduce(buckets[i].data(), buckets[i].size(),
                                               ElementType::kFloat32, ReduceOp::kMax));
      }
      for (Completion& completion : completions) completion.wait();
      if (plan_.fault != "unnoticed") nccl_.synchronize();
      // A host that reads a value waits for its stream, whatever it finds there.
      fake::synchronize(compute_);
    }
  }

 private:
  void count(const std::string& purpose) {
    ++calls_;
    if (strikes_ && calls_ == plan_.call) {
      if (plan_.fault == "late") hang();
      if (plan_.fault == "dies") kill(getpid(), SIGKILL);
      if (plan_.fault == "vanishes") vanish_();
      if (plan_.fault == "throws") throw InputError("train.h5: sample 7 is corrupt");
    }
    // Stuck elsewhere when the failure comes: only the communicator's own thread can end this.
    if (plan_.fault == "unnoticed" && calls_ == plan_.call + 1) hang();
    nccl_.announce(purpose);
  }

  Communicator& nccl_;
  const Plan& plan_;
  const bool strikes_;
  const cudaStream_t compute_;
  const std::function<void()> vanish_;
  int calls_ = 0;
};

int run(const Plan& plan) {
  if (plan.fault == "vanishes") setenv("CASVIT_SHARED_MEMORY", "off", 1);  // for a message
  World world = World::start();
  const auto body = [&] {
    fake::install(world);
    // Everything is up before anything goes wrong.
    world.communicator().barrier();
    std::printf("pid %d is rank %d.\n", getpid(), world.rank());
    std::fflush(stdout);
    const bool strikes = world.rank() == plan.rank;
    if (strikes) plant(plan);
    // The others are on the device, and have nothing to do with MPI, when it happens.
    if (plan.fault == "vanishes") fake::faults().stream_stalls_at = plan.call;
    if (plan.fault == "unnoticed" && strikes) fake::faults().stream_stalls_at = plan.call;
    cudaStream_t compute = nullptr;
    cudaStreamCreateWithFlags(&compute, cudaStreamNonBlocking);
    NcclOptions options = nccl_options(world, device_of_rank(world.local_rank()),
                                       [compute] { return static_cast<void*>(compute); });
    // The fakes' own exchange keeps the world's time, which is long: that of NCCL is tested.
    options.timeout =
        std::chrono::milliseconds(static_cast<std::int64_t>(plan.timeout_seconds * 1000));
    if (plan.fault == "vanishes") options.timeout = std::chrono::minutes(1);
    options.abort_limit = std::chrono::milliseconds(1000);
    NcclCommunicator nccl(world.communicator(), options);
    const auto vanish = [&world] {
      mpi_thread_is_to_end = true;
      world.communicator().barrier();  // for ever
    };
    Steps(nccl, plan, strikes, compute, vanish).run();
    return ExitCode::kDone;
  };
  return run_guarded(world, body, classify);
}

}  // namespace
}  // namespace casvit::launch

/// Usage: nccl_faulty_program FAULT RANK CALL TIMEOUT_SECONDS
int main(int argc, char** argv) {
  if (argc != 5) return 2;
  return casvit::launch::run({argv[1], std::atoi(argv[2]), std::atoi(argv[3]), std::atof(argv[4])});
}
