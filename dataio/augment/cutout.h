#pragma once

#include "dataio/random/counter_rng.h"

namespace casvit::dataio {

/// A hole of Cutout: rows [top, bottom) and columns [left, right).
struct CutoutHole {
  int top = 0, bottom = 0, left = 0, right = 0;
};

/// The hole whose centre is (y, x): length / 2 to each side, cut off at the borders (DeVries and
/// Taylor, 2017; their util/cutout.py, so that an odd length gives length - 1).
CutoutHole cutout_hole(int size, int length, int y, int x);

/// A hole with its centre anywhere in a square of `size` pixels.
CutoutHole draw_cutout(int size, int length, CounterRng& rng);

/// Sets a hole of `image`, `[size, size, 3] float32`, to zero.
void apply_cutout(float* image, int size, const CutoutHole& hole);

}  // namespace casvit::dataio
