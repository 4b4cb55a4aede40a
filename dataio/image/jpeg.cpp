#include <algorithm>
#include <vector>

#include "dataio/image/codec.h"
#include "dataio/image/libjpeg_errors.h"

namespace casvit::dataio {
namespace {

/// Lines asked from libjpeg at once; it hands out as many as it has upsampled (at most four).
constexpr int kLinesAtOnce = 8;

/// Whether a warning means that pixels are wrong. The others are about files that merely bend a
/// rule (an unknown Adobe transform, the spectral selection of a sequential scan, an odd JFIF
/// version).
bool means_corrupt(int code) {
  switch (code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
    case JWRN_NOT_SEQUENTIAL:
    case JWRN_TOO_MUCH_DATA:
      return false;
    default:
      return true;
  }
}

void on_message(j_common_ptr info, int level) {
  if (level < 0 && means_corrupt(info->err->msg_code)) leave_libjpeg(info);
}

/// See libjpeg_errors.h for what may stand in functions that call setjmp.
class JpegReader {
 public:
  JpegReader() { info_.err = install(error_, on_message); }
  ~JpegReader() { jpeg_destroy_decompress(&info_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  /// Reads up to the first scan and chooses how to decode. False on error, then call `refuse`.
  bool read_header(std::span<const std::uint8_t> bytes) {
    if (setjmp(error_.jump) != 0) return false;  // NOLINT(cert-err52-cpp): libjpeg's protocol
    jpeg_create_decompress(&info_);
    info_.progress = &progress_;
    jpeg_mem_src(&info_, bytes.data(), static_cast<unsigned long>(bytes.size()));
    jpeg_read_header(&info_, TRUE);
    info_.out_color_space = info_.num_components == 4 ? JCS_CMYK : JCS_RGB;
    info_.dct_method = JDCT_ISLOW;
    info_.do_fancy_upsampling = TRUE;
    return true;
  }

  /// Decodes every line. RGB goes straight to `pixels`; CMYK goes through `line`, one line long.
  bool read_lines(std::uint8_t* pixels, std::uint8_t* line) {
    if (setjmp(error_.jump) != 0) return false;  // NOLINT(cert-err52-cpp): libjpeg's protocol
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      if (line == nullptr) {
        read_rgb_lines(pixels);
      } else {
        read_cmyk_line(pixels, line);
      }
    }
    jpeg_finish_decompress(&info_);
    return true;
  }

  const jpeg_decompress_struct& info() const { return info_; }
  [[noreturn]] void refuse() const { throw_error(error_, kCorruptJpeg); }

 private:
  void read_rgb_lines(std::uint8_t* pixels) {
    const std::size_t stride = static_cast<std::size_t>(info_.output_width) * 3;
    const JDIMENSION left = info_.output_height - info_.output_scanline;
    const auto count = std::min<JDIMENSION>(left, kLinesAtOnce);
    JSAMPROW rows[kLinesAtOnce];
    for (JDIMENSION i = 0; i < count; ++i) {
      rows[i] = pixels + (info_.output_scanline + i) * stride;
    }
    jpeg_read_scanlines(&info_, rows, count);
  }

  void read_cmyk_line(std::uint8_t* pixels, std::uint8_t* line) {
    std::uint8_t* out =
        pixels + static_cast<std::size_t>(info_.output_scanline) * info_.output_width * 3;
    JSAMPROW row = line;
    jpeg_read_scanlines(&info_, &row, 1);
    for (JDIMENSION x = 0; x < info_.output_width; ++x, line += 4, out += 3) {
      // Adobe stores CMYK inverted, and Pillow takes every CMYK JPEG for Adobe's: `line` holds
      // 255 - ink. Pillow's cmyk2rgb: 255 - k, less (ink * (255 - k)) / 255 rounded.
      const int white = line[3];
      for (int c = 0; c < 3; ++c) {
        const int product = (255 - line[c]) * white + 128;
        out[c] = static_cast<std::uint8_t>(white - ((product + (product >> 8)) >> 8));
      }
    }
  }

  jpeg_decompress_struct info_{};
  jpeg_progress_mgr progress_ = limit_of_scans();
  JpegErrors error_{};
};

}  // namespace

Image decode_jpeg(std::span<const std::uint8_t> bytes, std::int64_t max_pixels) {
  JpegReader reader;
  if (!reader.read_header(bytes)) reader.refuse();
  const jpeg_decompress_struct& info = reader.info();
  if (info.data_precision != 8) {
    throw InputError("a JPEG of " + std::to_string(info.data_precision) +
                     " bits a sample: only 8 are supported");
  }
  const int components = info.num_components;
  if (components != 1 && components != 3 && components != 4) {
    throw InputError("a JPEG of " + std::to_string(components) +
                     " components: only grey (1), colour (3) and CMYK (4) are supported");
  }
  Image image = allocate_image(info.image_height, info.image_width, max_pixels);
  std::vector<std::uint8_t> line;
  if (components == 4) line.resize(static_cast<std::size_t>(image.width) * 4);
  if (!reader.read_lines(image.pixels.data(), line.empty() ? nullptr : line.data())) {
    reader.refuse();
  }
  return image;
}

}  // namespace casvit::dataio
