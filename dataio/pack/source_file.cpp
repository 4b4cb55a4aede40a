#include "dataio/pack/source_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <xxhash.h>

#include <limits>

#include "dataio/container/file_descriptor.h"
#include "dataio/error.h"
#include "dataio/image/orientation.h"

namespace casvit::dataio {

void read_source_file(const std::string& path, std::vector<std::uint8_t>& bytes) {
  // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    throw InputError("cannot be read: " + system_error_text());
  }
  if (!S_ISREG(status.st_mode)) throw InputError("not a regular file");
  if (status.st_size > std::numeric_limits<std::uint32_t>::max()) {
    throw InputError("larger than 4 GiB");
  }
  bytes.resize(static_cast<std::size_t>(status.st_size));
  const std::string problem = read_at(file.get(), 0, bytes);
  if (!problem.empty()) throw InputError("cannot be read: " + problem);
}

PictureFacts inspect_picture(const std::vector<std::uint8_t>& bytes) {
  if (bytes.empty()) throw InputError("empty file (0 bytes)");
  check_image_structure(bytes);
  return {.header = read_image_header(bytes),
          .orientation = read_orientation(bytes),
          .length = static_cast<std::uint32_t>(bytes.size()),
          .xxh3 = XXH3_64bits(bytes.data(), bytes.size())};
}

}  // namespace casvit::dataio
