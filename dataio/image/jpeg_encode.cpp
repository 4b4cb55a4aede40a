#include "dataio/image/jpeg_encode.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataio/error.h"
#include "dataio/image/libjpeg_errors.h"

namespace casvit::dataio {
namespace {

/// Any warning while coefficients are read means that some are lost.
void on_message(j_common_ptr info, int level) {
  if (level < 0) leave_libjpeg(info);
}

/// Where libjpeg writes to. Its own (jpeg_mem_dest) leaves the pointer to a freed buffer behind
/// when an error ends a picture that had outgrown it.
struct Output {
  jpeg_destination_mgr base;  // first: libjpeg knows only this part
  std::vector<std::uint8_t>* bytes;
};

Output& output_of(j_compress_ptr info) { return *reinterpret_cast<Output*>(info->dest); }

/// Makes room for as much again, at least `least` bytes. Leaves libjpeg where there is no memory:
/// no exception may pass its frames.
void grow(j_compress_ptr info, std::size_t least) {
  Output& output = output_of(info);
  const std::size_t used = output.bytes->size();
  bool has_grown = true;
  try {
    output.bytes->resize(std::max(least, 2 * used));
  } catch (const std::exception&) {
    has_grown = false;
  }
  if (!has_grown) ERREXIT1(info, JERR_OUT_OF_MEMORY, 0);
  output.base.next_output_byte = output.bytes->data() + used;
  output.base.free_in_buffer = output.bytes->size() - used;
}

void begin_output(j_compress_ptr info) { grow(info, std::size_t{1} << 16U); }

/// Called when not a byte is left.
boolean make_room(j_compress_ptr info) {
  grow(info, 0);
  return TRUE;
}

void end_output(j_compress_ptr info) {
  Output& output = output_of(info);
  output.bytes->resize(output.bytes->size() - output.base.free_in_buffer);
}

/// See libjpeg_errors.h for what may stand in functions that call setjmp.
class JpegWriter {
 public:
  JpegWriter() {
    out_.err = install(error_, on_message);
    in_.err = out_.err;
    output_.base.init_destination = begin_output;
    output_.base.empty_output_buffer = make_room;
    output_.base.term_destination = end_output;
    output_.bytes = &bytes_;
  }
  ~JpegWriter() {
    jpeg_destroy_compress(&out_);
    jpeg_destroy_decompress(&in_);
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
    in_.progress = &progress_;
    jpeg_mem_src(&in_, bytes, static_cast<unsigned long>(size));
    jpeg_save_markers(&in_, JPEG_COM, 0xFFFF);
    for (int i = 0; i < 16; ++i) jpeg_save_markers(&in_, JPEG_APP0 + i, 0xFFFF);
    jpeg_read_header(&in_, TRUE);
    jvirt_barray_ptr* coefficients = jpeg_read_coefficients(&in_);
    is_complete_ = has_all_bits();
    if (!is_complete_) return true;
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

  std::vector<std::uint8_t> take_bytes() { return std::move(bytes_); }
  /// Of what was transcoded: false where nothing was, because scans are missing.
  bool is_complete() const { return is_complete_; }
  [[noreturn]] void refuse(const char* what) const { throw_error(error_, what); }

 private:
  void begin() {
    jpeg_create_compress(&out_);
    out_.dest = &output_.base;
  }

  /// Whether a progressive JPEG's scans gave every coefficient to its last bit.
  bool has_all_bits() const {
    if (in_.progressive_mode == 0 || in_.coef_bits == nullptr) return true;
    for (int component = 0; component < in_.num_components; ++component) {
      const auto& bits = in_.coef_bits[component];
      if (std::any_of(bits, bits + DCTSIZE2, [](int missing) { return missing != 0; }))
        return false;
    }
    return true;
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
  jpeg_progress_mgr progress_ = limit_of_scans();
  JpegErrors error_{};
  Output output_{};
  std::vector<std::uint8_t> bytes_;
  bool is_complete_ = true;
};

}  // namespace

std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality) {
  JpegWriter writer;
  if (!writer.encode(image.pixels.data(), image.height, image.width, quality)) {
    writer.refuse("cannot be encoded as JPEG");
  }
  return writer.take_bytes();
}

std::optional<std::vector<std::uint8_t>> baseline_jpeg(std::span<const std::uint8_t> bytes) {
  JpegWriter writer;
  if (!writer.transcode(bytes.data(), bytes.size())) writer.refuse(kCorruptJpeg);
  if (!writer.is_complete()) return std::nullopt;
  return writer.take_bytes();
}

}  // namespace casvit::dataio
