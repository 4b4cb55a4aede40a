#pragma once

#include <cstdint>
#include <functional>

#include "dataio/bench/data_bench.h"

namespace casvit::dataio {

/// What one thread of a stage does with place k of the order; adds to the figures.
using BenchWork = std::function<void(std::uint64_t k, BenchFigures& figures)>;

/// Deals places 0, 1, 2, ... to `threads` threads until `seconds` are over, after a warm-up of a
/// tenth of that which is not counted. `make_work` is called once on each thread, for what it keeps
/// to itself. Throws what a thread threw first.
BenchFigures run_timed(int threads, double seconds, const std::function<BenchWork()>& make_work);

}  // namespace casvit::dataio
