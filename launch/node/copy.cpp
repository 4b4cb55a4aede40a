#include "launch/node/copy.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace casvit::launch {

void copy_cached(std::byte* to, const std::byte* from, std::size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

#if defined(__SSE2__)
void copy_streaming(std::byte* to, const std::byte* from, std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  constexpr std::size_t kLeast = std::size_t{16} << 10;
  if (bytes < kLeast) return copy_cached(to, from, bytes);
  const std::size_t misaligned = reinterpret_cast<std::uintptr_t>(to) % kLine;
  const std::size_t head = std::min(misaligned == 0 ? 0 : kLine - misaligned, bytes);
  copy_cached(to, from, head);
  to += head;
  from += head;
  bytes -= head;
  const std::size_t lines = bytes / kLine;
  auto* line_to = reinterpret_cast<__m128i*>(to);
  const auto* line_from = reinterpret_cast<const __m128i*>(from);
  for (std::size_t i = 0; i < lines; ++i, line_to += 4, line_from += 4) {
    const __m128i a = _mm_loadu_si128(line_from);
    const __m128i b = _mm_loadu_si128(line_from + 1);
    const __m128i c = _mm_loadu_si128(line_from + 2);
    const __m128i d = _mm_loadu_si128(line_from + 3);
    _mm_stream_si128(line_to, a);
    _mm_stream_si128(line_to + 1, b);
    _mm_stream_si128(line_to + 2, c);
    _mm_stream_si128(line_to + 3, d);
  }
  _mm_sfence();  // whoever is told that it is done sees it
  copy_cached(to + lines * kLine, from + lines * kLine, bytes % kLine);
}
#else
void copy_streaming(std::byte* to, const std::byte* from, std::size_t bytes) {
  copy_cached(to, from, bytes);
}
#endif

}  // namespace casvit::launch
