#pragma once

#include <cstddef>

namespace casvit::launch {

/// memcpy of any number of bytes, also none.
void copy_cached(std::byte* to, const std::byte* from, std::size_t bytes);

/// The same past the caches, for a destination that nobody reads soon: its lines are not read from
/// memory only to be overwritten, which makes it up to twice as fast. Little, and anything on
/// processors other than x86-64, is copied as copy_cached does.
void copy_streaming(std::byte* to, const std::byte* from, std::size_t bytes);

}  // namespace casvit::launch
