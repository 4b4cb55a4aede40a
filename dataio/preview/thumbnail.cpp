#include "dataio/preview/thumbnail.h"

#include "dataio/image/jpeg_encode.h"
#include "dataio/preview/fitted.h"

namespace casvit::dataio {

std::vector<std::uint8_t> thumbnail_jpeg(const Dataset& dataset, std::uint64_t sample, int side) {
  constexpr int kQuality = 80;
  std::vector<std::uint8_t> scratch;
  return encode_jpeg(fitted(dataset.decode(sample, scratch), side), kQuality);
}

}  // namespace casvit::dataio
