#pragma once

#include <cstdint>
#include <functional>

namespace casvit::dataio {

/// Calls `work(i)` for every i in [0, count) on `workers` threads, smallest first, and
/// `tick(done)` on the calling thread about ten times a second and once at the end.
///
/// An exception of `work` ends the loop: what was begun is finished, and the exception of the
/// smallest i is rethrown, so that the error does not depend on the number of workers. An exception
/// of `tick` ends it too.
void parallel_for(std::uint64_t count, int workers, const std::function<void(std::uint64_t)>& work,
                  const std::function<void(std::uint64_t)>& tick);

}  // namespace casvit::dataio
