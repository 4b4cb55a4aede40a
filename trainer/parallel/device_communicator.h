#pragma once

#include <c10/core/Device.h>

#include <memory>

#include "launch/world.h"

namespace casvit::trainer {

/// Collectives on tensors where they are: NCCL between the GPUs of several ranks, in order with
/// LibTorch's current stream. Null where the world's own communicator does, on CPUs and for one
/// rank. Collective. @param world outlives it
/// @throws WorldError when two ranks share a GPU. @throws CommunicationError
std::unique_ptr<launch::Communicator> make_device_communicator(launch::World& world,
                                                               const c10::Device& device);

}  // namespace casvit::trainer
