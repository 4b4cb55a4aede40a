#include "dataio/commands/progress_line.h"

#include <gtest/gtest.h>

namespace casvit::dataio {
namespace {

TEST(ProgressText, SaysHowFarAndHowLongStill) {
  EXPECT_EQ(progress_text("packing", {0, 25, 100, 10}, false), "packing 25% 25/100, 0:30 left");
  EXPECT_EQ(progress_text("packing", {0, 50, 100, 10}, true),
            "packing [##########..........] 50% 50/100, 0:10 left");
  EXPECT_EQ(progress_text("packing", {0, 100, 100, 10}, false), "packing 100% 100/100");
}

TEST(ProgressText, WhatWasDoneBeforehandDoesNotMakeItQuick) {
  EXPECT_EQ(progress_text("packing", {900, 910, 1000, 10}, false),
            "packing 91% 910/1000, 1:30 left");
  EXPECT_EQ(progress_text("packing", {900, 900, 1000, 10}, false), "packing 90% 900/1000");
}

TEST(ProgressText, CountsWhereNobodyKnowsTheEnd) {
  EXPECT_EQ(progress_text("listing", {0, 1234, 0, 10}, true), "listing 1234");
}

}  // namespace
}  // namespace casvit::dataio
