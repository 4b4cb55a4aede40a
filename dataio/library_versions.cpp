#include "dataio/library_versions.h"

#include <png.h>
#include <webp/decode.h>
#include <xxhash.h>

#include <cstddef>
#include <cstdio>
// jpeglib.h uses size_t and FILE without including what declares them.
#include <jpeglib.h>

#include "dataio/container/hdf5.h"

namespace casvit::dataio {
namespace {

// NOLINTBEGIN(cppcoreguidelines-macro-usage): only the preprocessor turns a number into text
#define CASVIT_TEXT_OF(value) #value
#define CASVIT_TEXT(value) CASVIT_TEXT_OF(value)
// NOLINTEND(cppcoreguidelines-macro-usage)

#ifdef LIBJPEG_TURBO_VERSION
constexpr const char* kJpegVersion = "libjpeg-turbo " CASVIT_TEXT(LIBJPEG_TURBO_VERSION);
#else
constexpr const char* kJpegVersion = "libjpeg " CASVIT_TEXT(JPEG_LIB_VERSION);
#endif

std::string dotted(unsigned major, unsigned minor, unsigned patch) {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

}  // namespace

std::string library_versions() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  keep_hdf5_from_exit();
  H5get_libversion(&major, &minor, &release);
  const unsigned xxhash = XXH_versionNumber();
  const auto webp = static_cast<unsigned>(WebPGetDecoderVersion());
  return "  HDF5 " + dotted(major, minor, release) + "\n" +                         //
         "  " + kJpegVersion + "\n" +                                               //
         "  libpng " + std::string(png_get_libpng_ver(nullptr)) + "\n" +            //
         "  libwebp " + dotted(webp >> 16, (webp >> 8) & 255, webp & 255) + "\n" +  //
         "  xxHash " + dotted(xxhash / 10000, xxhash / 100 % 100, xxhash % 100) + "\n";
}

}  // namespace casvit::dataio
