#include <webp/decode.h>
#include <webp/demux.h>

#include <cstring>
#include <memory>

#include "dataio/image/codec.h"

namespace casvit::dataio {
namespace {

constexpr std::size_t kRiffHeaderBytes = 12;
constexpr std::size_t kChunkHeaderBytes = 8;
constexpr std::uint8_t kExifFlag = 0x08;  ///< of the extended header

std::uint32_t little_endian32(const std::uint8_t* at) {
  return static_cast<std::uint32_t>(at[3]) << 24 | static_cast<std::uint32_t>(at[2]) << 16 |
         static_cast<std::uint32_t>(at[1]) << 8 | at[0];
}

/// Walks the chunks of a WebP file (RIFF).
class ChunkReader {
 public:
  explicit ChunkReader(std::span<const std::uint8_t> bytes) {
    if (bytes.size() < kRiffHeaderBytes) throw InputError("truncated WebP: no whole header");
    const std::size_t riff = little_endian32(bytes.data() + 4);  // counts what follows it
    if (riff > bytes.size() - kChunkHeaderBytes) {
      throw InputError("truncated WebP: it ends before the end that its header gives");
    }
    body_ = bytes.first(riff + kChunkHeaderBytes);
  }

  /// Goes to the next chunk; false at the end.
  bool next() {
    at_ = next_;
    if (at_ + kChunkHeaderBytes > body_.size()) return false;
    const std::size_t length = little_endian32(body_.data() + at_ + 4);
    if (length > body_.size() - at_ - kChunkHeaderBytes) {
      throw InputError("corrupt WebP: a chunk reaches beyond the file");
    }
    data_ = body_.subspan(at_ + kChunkHeaderBytes, length);
    next_ = at_ + kChunkHeaderBytes + length + length % 2;
    return true;
  }

  bool is(const char* type) const { return std::memcmp(body_.data() + at_, type, 4) == 0; }
  std::span<const std::uint8_t> data() const { return data_; }

 private:
  std::span<const std::uint8_t> body_;
  std::span<const std::uint8_t> data_;
  std::size_t at_ = 0;
  std::size_t next_ = kRiffHeaderBytes;
};

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
  bool has_data = false;
  for (ChunkReader chunks(bytes); chunks.next();) {
    has_data |= chunks.is("VP8 ") || chunks.is("VP8L") || chunks.is("ANMF");
  }
  if (!has_data) throw InputError("corrupt WebP: it has no picture data");
}

std::vector<std::uint8_t> find_webp_exif(std::span<const std::uint8_t> bytes) {
  bool announced = false;  // libwebp looks for EXIF only where the extended header announces it
  for (ChunkReader chunks(bytes); chunks.next();) {
    const auto data = chunks.data();
    if (chunks.is("VP8X")) announced = !data.empty() && (data[0] & kExifFlag) != 0;
    if (announced && chunks.is("EXIF")) return {data.begin(), data.end()};
  }
  return {};
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
