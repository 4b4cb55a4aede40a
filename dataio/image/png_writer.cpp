#include "dataio/image/png_writer.h"

#include <fcntl.h>
#include <png.h>
#include <unistd.h>

#include "dataio/container/display.h"
#include "dataio/container/file_descriptor.h"
#include "dataio/container/pending_file.h"
#include "dataio/error.h"

namespace casvit::dataio {

std::vector<std::uint8_t> encode_png(const Image& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::vector<std::uint8_t> bytes(size);
  if (png_image_write_to_memory(&header, bytes.data(), &size, 0, image.pixels.data(), 0, nullptr) ==
      0) {
    throw OutputError(std::string("libpng cannot encode the picture: ") + header.message);
  }
  bytes.resize(size);
  return bytes;
}

void write_png(const std::string& path, const Image& image) {
  constexpr mode_t kReadableByAll = 0666;
  const std::vector<std::uint8_t> bytes = encode_png(image);
  PendingFile pending(path);
  const auto fail = [&](const std::string& reason) {
    throw OutputError("cannot write " + display_path(path) + ": " + reason);
  };
  FileDescriptor file(open(pending.temporary_path().c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kReadableByAll));
  if (file.get() < 0) fail(system_error_text());
  if (const std::string error = write_at(file.get(), 0, bytes); !error.empty()) fail(error);
  if (const std::string error = file.close(); !error.empty()) fail(error);
  pending.publish();
}

}  // namespace casvit::dataio
