#include <utility>

#include "launch/nccl_communicator.h"
#include "launch/world.h"

namespace casvit::launch {

NcclOptions nccl_options(World& world, int device, std::function<void*()> compute_stream) {
  NcclOptions options;
  options.device = device;
  options.who = "rank " + std::to_string(world.rank()) + " of " + std::to_string(world.size()) +
                " on " + world.host();
  options.timeout = world.timeout();
  options.compute_stream = std::move(compute_stream);
  options.on_issued = [&world](std::uint64_t number) { world.note_issued_on_device(number); };
  options.accuse = [&world](std::uint64_t number) { return world.accuse_on_device(number); };
  options.find_dead = [&world] { return world.find_dead_on_device(); };
  options.on_failure = [&world](const std::string& message) {
    world.abort(ExitCode::kCommunication, message);
  };
  return options;
}

}  // namespace casvit::launch
