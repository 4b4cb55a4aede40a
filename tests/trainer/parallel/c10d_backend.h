#pragma once

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include "launch/communicator.h"

namespace casvit::trainer {

/// A process group for c10d, with what its Reducer needs: broadcast, barrier, and an all_reduce
/// that gathers everybody's tensor and adds them here, in rank order, in the tensor's type (16-bit
/// floats in float32), so that it shares no sum with ours.
c10::intrusive_ptr<c10d::ProcessGroup> make_process_group(launch::Communicator& communicator);

}  // namespace casvit::trainer
