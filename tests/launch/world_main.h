#pragma once

#include "launch/world.h"

namespace casvit::launch {

/// The world of this test program, which world_main.cpp starts before the tests and finishes after.
World& test_world();

}  // namespace casvit::launch
