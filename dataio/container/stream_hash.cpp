#include "dataio/container/stream_hash.h"

#include <xxhash.h>

#include <new>

namespace casvit::dataio {

void StreamHash::Free::operator()(XXH3_state_s* state) const { XXH3_freeState(state); }

StreamHash::StreamHash() : state_(XXH3_createState()) {
  if (!state_) throw std::bad_alloc();
  XXH3_64bits_reset(state_.get());
}

StreamHash::~StreamHash() = default;

void StreamHash::add(const void* data, std::size_t size) {
  if (size > 0) XXH3_64bits_update(state_.get(), data, size);
}

std::uint64_t StreamHash::digest() const { return XXH3_64bits_digest(state_.get()); }

}  // namespace casvit::dataio
