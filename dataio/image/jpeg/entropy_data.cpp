#include "dataio/image/jpeg/entropy_data.h"

#include <cstring>

namespace casvit::dataio::jpeg {

bool EntropyData::read(std::span<const std::uint8_t> bytes) {
  if (data_.size() < bytes.size() + kReadable) data_.resize(bytes.size() + kReadable);
  begins_.assign(1, 0);
  const std::uint8_t* from = bytes.data();
  const std::uint8_t* const end = from + bytes.size();
  std::uint8_t* to = data_.data();
  unsigned restart = 0;
  for (;;) {
    const auto left = static_cast<std::size_t>(end - from);
    const auto* hit = static_cast<const std::uint8_t*>(std::memchr(from, 0xFF, left));
    if (hit == nullptr || end - hit < 2) return false;
    const auto run = static_cast<std::size_t>(hit - from);
    std::memcpy(to, from, run);
    to += run;
    from = hit + 2;
    const std::uint8_t code = hit[1];
    if (code == 0) {
      *to++ = 0xFF;
    } else if (code >= 0xD0 && code <= 0xD7) {
      if (code != 0xD0 + restart) return false;
      restart = (restart + 1) % 8;
      begins_.push_back(static_cast<std::size_t>(to - data_.data()));
    } else {
      begins_.push_back(static_cast<std::size_t>(to - data_.data()));
      std::memset(to, 0, kReadable);
      ends_picture_ = code == 0xD9;
      return true;
    }
  }
}

}  // namespace casvit::dataio::jpeg
