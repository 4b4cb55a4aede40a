// jpeglib.h needs FILE and size_t before it.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
// clang-format on

#include "dataio/image/jpeg_encode.h"

#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "dataio/error.h"

namespace casvit::dataio {
namespace {

/// As in jpeg.cpp: more scans are an attack on the decoder's time.
constexpr int kMaxScans = 500;

struct ErrorManager {
  jpeg_error_mgr base;  // first: libjpeg knows only this part
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void leave(j_common_ptr info) {
  auto& error = *reinterpret_cast<ErrorManager*>(info->err);
  (*info->err->format_message)(info, error.message);
  std::longjmp(error.jump, 1);
}

/// Any warning while coefficients are read means that some are lost.
void on_message(j_common_ptr info, int level) {
  if (level < 0) leave(info);
}

void print_nothing(j_common_ptr) {}

void on_progress(j_common_ptr info) {
  const auto* decompress = reinterpret_cast<j_decompress_ptr>(info);
  if (info->is_decompressor == 0 || decompress->input_scan_number <= kMaxScans) return;
  auto& error = *reinterpret_cast<ErrorManager*>(info->err);
  std::snprintf(error.message, sizeof error.message, "more than %d scans", kMaxScans);
  std::longjmp(error.jump, 1);
}

/// Note "setjmp and C++" of jpeg.cpp holds here too: what calls setjmp has trivial locals only.
class JpegWriter {
 public:
  JpegWriter() {
    out_.err = jpeg_std_error(&error_.base);
    error_.base.error_exit = leave;
    error_.base.emit_message = on_message;
    error_.base.output_message = print_nothing;
    in_.err = &error_.base;
    error_.message[0] = '\0';
  }
  ~JpegWriter() {
    jpeg_destroy_compress(&out_);
    jpeg_destroy_decompress(&in_);
    std::free(buffer_);  // NOLINT(cppcoreguidelines-no-malloc): libjpeg allocates it with malloc
  }
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;

  bool encode(const std::uint8_t* pixels, int height, int width, int quality) {
    if (setjmp(error_.jump) != 0) return false;  // NOLINT(cert-err52-cpp): libjpeg's protocol
    begin();
    out_.image_height = static_cast<JDIMENSION>(height);
    out_.image_width = static_cast<JDIMENSION>(width);
    out_.input_components = 3;
    out_.in_color_space = JCS_RGB;
    jpeg_set_defaults(&out_);
    jpeg_set_quality(&out_, quality, TRUE);
    out_.dct_method = JDCT_ISLOW;
    out_.optimize_coding = TRUE;
    jpeg_start_compress(&out_, TRUE);
    while (out_.next_scanline < out_.image_height) {
      const std::size_t row = static_cast<std::size_t>(out_.next_scanline) * out_.image_width * 3;
      auto* line = const_cast<JSAMPROW>(pixels + row);  // libjpeg only reads it
      jpeg_write_scanlines(&out_, &line, 1);
    }
    jpeg_finish_compress(&out_);
    return true;
  }

  bool transcode(const std::uint8_t* bytes, std::size_t size) {
    if (setjmp(error_.jump) != 0) return false;  // NOLINT(cert-err52-cpp): libjpeg's protocol
    jpeg_create_decompress(&in_);
    progress_.progress_monitor = on_progress;
    in_.progress = &progress_;
    jpeg_mem_src(&in_, bytes, static_cast<unsigned long>(size));
    jpeg_save_markers(&in_, JPEG_COM, 0xFFFF);
    for (int i = 0; i < 16; ++i) jpeg_save_markers(&in_, JPEG_APP0 + i, 0xFFFF);
    jpeg_read_header(&in_, TRUE);
    jvirt_barray_ptr* coefficients = jpeg_read_coefficients(&in_);
    begin();
    jpeg_copy_critical_parameters(&in_, &out_);
    out_.optimize_coding = TRUE;
    out_.arith_code = FALSE;
    jpeg_write_coefficients(&out_, coefficients);
    copy_markers();
    jpeg_finish_compress(&out_);
    jpeg_finish_decompress(&in_);
    return true;
  }

  std::vector<std::uint8_t> bytes() const { return {buffer_, buffer_ + size_}; }
  const char* message() const { return error_.message; }

 private:
  void begin() {
    jpeg_create_compress(&out_);
    jpeg_mem_dest(&out_, &buffer_, &size_);
  }

  void copy_markers() {
    for (jpeg_saved_marker_ptr marker = in_.marker_list; marker != nullptr; marker = marker->next) {
      // libjpeg has written its own JFIF and Adobe headers from the parameters that it copied.
      const bool is_jfif = out_.write_JFIF_header != 0 && marker->marker == JPEG_APP0 &&
                           starts_with(marker, "JFIF", 5);
      const bool is_adobe = out_.write_Adobe_marker != 0 && marker->marker == JPEG_APP0 + 14 &&
                            starts_with(marker, "Adobe", 5);
      if (is_jfif || is_adobe) continue;
      jpeg_write_marker(&out_, marker->marker, marker->data, marker->data_length);
    }
  }

  static bool starts_with(jpeg_saved_marker_ptr marker, const char* text, unsigned size) {
    return marker->data_length >= size && std::memcmp(marker->data, text, size) == 0;
  }

  jpeg_decompress_struct in_{};
  jpeg_compress_struct out_{};
  jpeg_progress_mgr progress_{};
  ErrorManager error_{};
  unsigned char* buffer_ = nullptr;
  unsigned long size_ = 0;
};

}  // namespace

std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality) {
  JpegWriter writer;
  if (!writer.encode(image.pixels.data(), image.height, image.width, quality)) {
    throw InputError("cannot be encoded as JPEG: " + std::string(writer.message()));
  }
  return writer.bytes();
}

std::vector<std::uint8_t> baseline_jpeg(std::span<const std::uint8_t> bytes) {
  JpegWriter writer;
  if (!writer.transcode(bytes.data(), bytes.size())) {
    throw InputError("corrupt or truncated JPEG: " + std::string(writer.message()));
  }
  return writer.bytes();
}

}  // namespace casvit::dataio
