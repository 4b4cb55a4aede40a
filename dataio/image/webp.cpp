#include <webp/decode.h>
#include <webp/demux.h>

#include <cstring>
#include <memory>

#include "dataio/image/codec.h"

namespace casvit::dataio {
namespace {

constexpr std::size_t kRiffHeaderBytes = 12;
constexpr std::size_t kChunkHeaderBytes = 8;

std::uint32_t little_endian32(const std::uint8_t* at) {
  return static_cast<std::uint32_t>(at[3]) << 24 | static_cast<std::uint32_t>(at[2]) << 16 |
         static_cast<std::uint32_t>(at[1]) << 8 | at[0];
}

WebPBitstreamFeatures read_features(std::span<const std::uint8_t> bytes) {
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(bytes.data(), bytes.size(), &features);
  if (status == VP8_STATUS_NOT_ENOUGH_DATA) throw InputError("truncated WebP: no whole header");
  if (status != VP8_STATUS_OK) throw InputError("corrupt WebP: its header cannot be read");
  return features;
}

void decode_into(std::span<const std::uint8_t> bytes, std::uint8_t* first, std::size_t left,
                 int stride) {
  if (WebPDecodeRGBInto(bytes.data(), bytes.size(), first, left, stride) == nullptr) {
    throw InputError("corrupt or truncated WebP: its picture data cannot be decoded");
  }
}

struct DemuxerDeleter {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};

/// The first frame on a black canvas, as Pillow shows an animation that it has opened.
void decode_first_frame(std::span<const std::uint8_t> bytes, Image& image) {
  const WebPData data = {bytes.data(), bytes.size()};
  const std::unique_ptr<WebPDemuxer, DemuxerDeleter> demuxer(WebPDemux(&data));
  if (!demuxer) throw InputError("corrupt or truncated WebP animation");
  WebPIterator frame;
  if (WebPDemuxGetFrame(demuxer.get(), 1, &frame) == 0) {
    throw InputError("corrupt WebP animation: it has no frame");
  }
  const std::unique_ptr<WebPIterator, decltype(&WebPDemuxReleaseIterator)> release(
      &frame, &WebPDemuxReleaseIterator);
  // The demuxer has checked that frames lie inside the canvas; sizes are from the file all the
  // same.
  if (frame.x_offset < 0 || frame.y_offset < 0 || frame.width > image.width - frame.x_offset ||
      frame.height > image.height - frame.y_offset) {
    throw InputError("corrupt WebP animation: a frame outside the canvas");
  }
  const std::size_t offset = static_cast<std::size_t>(frame.y_offset) * image.row_bytes() +
                             static_cast<std::size_t>(frame.x_offset) * 3;
  decode_into({frame.fragment.bytes, frame.fragment.size}, image.pixels.data() + offset,
              image.pixels.size() - offset, static_cast<int>(image.row_bytes()));
}

}  // namespace

ImageHeader read_webp_header(std::span<const std::uint8_t> bytes) {
  const WebPBitstreamFeatures features = read_features(bytes);
  ImageHeader header;
  header.codec = Codec::kWebp;
  header.height = features.height;
  header.width = features.width;
  return header;
}

void check_webp_structure(std::span<const std::uint8_t> bytes) {
  // RIFF: the size field counts what follows it.
  const std::size_t riff = little_endian32(bytes.data() + 4);
  if (riff > bytes.size() - kChunkHeaderBytes) {
    throw InputError("truncated WebP: it ends before the end that its header gives");
  }
  const auto body = bytes.first(riff + kChunkHeaderBytes);
  std::size_t at = kRiffHeaderBytes;
  bool has_data = false;
  while (at + kChunkHeaderBytes <= body.size()) {
    const std::uint8_t* type = body.data() + at;
    const std::size_t length = little_endian32(type + 4);
    if (length > body.size() - at - kChunkHeaderBytes) {
      throw InputError("corrupt WebP: a chunk reaches beyond the file");
    }
    has_data |= std::memcmp(type, "VP8 ", 4) == 0 || std::memcmp(type, "VP8L", 4) == 0 ||
                std::memcmp(type, "ANMF", 4) == 0;
    at += kChunkHeaderBytes + length + length % 2;
  }
  if (!has_data) throw InputError("corrupt WebP: it has no picture data");
}

Image decode_webp(std::span<const std::uint8_t> bytes, std::int64_t max_pixels) {
  const WebPBitstreamFeatures features = read_features(bytes);
  Image image = allocate_image(features.height, features.width, max_pixels);
  if (features.has_animation != 0) {
    decode_first_frame(bytes, image);
  } else {
    decode_into(bytes, image.pixels.data(), image.pixels.size(),
                static_cast<int>(image.row_bytes()));
  }
  return image;
}

}  // namespace casvit::dataio
