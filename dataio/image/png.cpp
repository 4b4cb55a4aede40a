#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <new>
#include <vector>

#include "dataio/image/codec.h"

namespace casvit::dataio {
namespace {

/// How libpng hands the pixels over, and what is left to do.
enum class Layout { kRgb, kPaletteIndex, kGrey16 };

/// Chunks with nothing for us: libpng neither checks nor inflates them.
constexpr const char* kIgnoredChunks[] = {"iCCP", "iTXt", "zTXt", "tEXt", "eXIf",
                                          "tIME", "sPLT", "hIST", "bKGD", "tRNS"};

struct Source {
  std::span<const std::uint8_t> bytes;
  std::size_t at = 0;
  char message[160] = {};
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  auto& source = *static_cast<Source*>(png_get_error_ptr(png));
  std::strncpy(source.message, text, sizeof source.message - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {
  // libpng warns of what it can put right or what does not touch pixels (a bad colour profile).
}

void on_read(png_structp png, png_bytep out, std::size_t count) {
  auto& source = *static_cast<Source*>(png_get_io_ptr(png));
  if (count > source.bytes.size() - source.at) png_error(png, "it ends before its end chunk");
  std::memcpy(out, source.bytes.data() + source.at, count);
  source.at += count;
}

/// The note "setjmp and C++" in jpeg.cpp holds here too.
class PngReader {
 public:
  explicit PngReader(std::span<const std::uint8_t> bytes) {
    source_.bytes = bytes;
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source_, on_error, on_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) throw std::bad_alloc();
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  /// Reads up to the picture data and chooses the transformations. False on error.
  bool read_header() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;  // NOLINT(cert-err52-cpp): libpng's protocol
    png_set_read_fn(png_, &source_, on_read);
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    png_set_crc_action(png_, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);  // no fuzzer guesses them
#else
    png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
#endif
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    ignore_chunks();
    png_read_info(png_, info_);
    height_ = png_get_image_height(png_, info_);
    width_ = png_get_image_width(png_, info_);
    choose_transformations();
    return true;
  }

  /// Reads all rows of `row_bytes()` each, then the rest of the file.
  bool read_rows(std::uint8_t* first) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;  // NOLINT(cert-err52-cpp): libpng's protocol
    // Every pass of an interlaced picture goes over all rows and fills in its pixels.
    for (int pass = 0; pass < passes_; ++pass) {
      for (std::size_t y = 0; y < height_; ++y) {
        png_read_row(png_, first + y * row_bytes_, nullptr);
      }
    }
    png_read_end(png_, nullptr);
    return true;
  }

  /// Fixes the row layout; after it nothing but rows can be read.
  bool start() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;  // NOLINT(cert-err52-cpp): libpng's protocol
    png_read_update_info(png_, info_);
    row_bytes_ = png_get_rowbytes(png_, info_);
    return true;
  }

  /// `[256][3]`; black where the file gives no colour, as in Pillow.
  void palette(std::uint8_t (&colours)[256][3]) const {
    std::memset(colours, 0, sizeof colours);
    png_colorp entries = nullptr;
    int count = 0;
    png_get_PLTE(png_, info_, &entries, &count);
    for (int i = 0; i < std::min(count, 256); ++i) {
      colours[i][0] = entries[i].red;
      colours[i][1] = entries[i].green;
      colours[i][2] = entries[i].blue;
    }
  }

  std::uint32_t height() const { return height_; }
  std::uint32_t width() const { return width_; }
  std::size_t row_bytes() const { return row_bytes_; }
  Layout layout() const { return layout_; }
  const char* message() const { return source_.message; }

 private:
  void ignore_chunks() {
    png_byte names[std::size(kIgnoredChunks) * 5];
    png_bytep at = names;
    for (const char* name : kIgnoredChunks) {
      std::memcpy(at, name, 5);
      at += 5;
    }
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, names,
                                static_cast<int>(std::size(kIgnoredChunks)));
  }

  void choose_transformations() {
    const int depth = png_get_bit_depth(png_, info_);
    const int type = png_get_color_type(png_, info_);
    if (type == PNG_COLOR_TYPE_PALETTE) {
      layout_ = Layout::kPaletteIndex;
      png_set_packing(png_);
    } else if (type == PNG_COLOR_TYPE_GRAY && depth == 16) {
      layout_ = Layout::kGrey16;
    } else {
      if (depth == 16) png_set_strip_16(png_);
      if (depth < 8) png_set_expand_gray_1_2_4_to_8(png_);
      if ((type & PNG_COLOR_MASK_ALPHA) != 0) png_set_strip_alpha(png_);
      if ((type & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(png_);
    }
    passes_ = png_set_interlace_handling(png_);
  }

  Source source_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::uint32_t height_ = 0;
  std::uint32_t width_ = 0;
  std::size_t row_bytes_ = 0;
  int passes_ = 1;
  Layout layout_ = Layout::kRgb;
};

void require(bool succeeded, const PngReader& reader) {
  if (!succeeded) {
    throw InputError("corrupt or truncated PNG: " + std::string(reader.message()));
  }
}

void expand_palette(const PngReader& reader, const std::vector<std::uint8_t>& raw, Image& image) {
  std::uint8_t colours[256][3];
  reader.palette(colours);
  std::uint8_t* out = image.pixels.data();
  for (const std::uint8_t index : raw) {
    std::memcpy(out, colours[index], 3);
    out += 3;
  }
}

/// Pillow keeps such a picture as 16-bit grey, and its conversion to RGB saturates.
void saturate_grey16(const std::vector<std::uint8_t>& raw, Image& image) {
  std::uint8_t* out = image.pixels.data();
  for (std::size_t i = 0; i < raw.size(); i += 2, out += 3) {
    std::memset(out, raw[i] == 0 ? raw[i + 1] : 255, 3);
  }
}

}  // namespace

Image decode_png(std::span<const std::uint8_t> bytes, std::int64_t max_pixels) {
  // Chunks that libpng is told to ignore it also passes over where the header should be.
  read_png_header(bytes);
  PngReader reader(bytes);
  require(reader.read_header(), reader);
  check_size(reader.height(), reader.width(), max_pixels);
  require(reader.start(), reader);
  Image image = allocate_image(reader.height(), reader.width(), max_pixels);

  std::vector<std::uint8_t> raw;
  std::uint8_t* first = image.pixels.data();
  if (reader.layout() != Layout::kRgb) {
    raw.resize(reader.row_bytes() * reader.height());
    first = raw.data();
  }
  require(reader.read_rows(first), reader);

  if (reader.layout() == Layout::kPaletteIndex) expand_palette(reader, raw, image);
  if (reader.layout() == Layout::kGrey16) saturate_grey16(raw, image);
  return image;
}

}  // namespace casvit::dataio
