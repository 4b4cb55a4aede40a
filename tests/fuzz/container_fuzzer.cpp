// Arbitrary bytes as a container: the reader opens them or refuses them with an InputError, and
// what it opened can be read from the first sample to the last. Built with
// FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION, which leaves out the checksums that no fuzzer can
// guess.

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "dataio/container/file_descriptor.h"
#include "dataio/container/reader.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

/// One file in memory for all runs; its name is that of its descriptor.
const FileDescriptor& memory_file() {
  static const FileDescriptor file(::memfd_create("container", MFD_CLOEXEC));
  return file;
}

void read_everything(const ContainerReader& reader) {
  std::vector<std::uint8_t> bytes;
  const auto& index = reader.index();
  for (std::uint64_t i = 0; i < index.samples(); ++i) {
    if (static_cast<std::size_t>(index.label[i]) >= index.class_names.size()) std::abort();
    if (reader.describe(i).empty()) std::abort();
    try {
      reader.read(i, bytes);
    } catch (const InputError&) {
      // Bytes that do not fit their hash are what most inputs hold.
    }
  }
}

void check(std::span<const std::uint8_t> bytes) {
  const int file = memory_file().get();
  if (file < 0 || ::ftruncate(file, 0) != 0 || !write_at(file, 0, bytes).empty()) std::abort();
  try {
    read_everything(ContainerReader("/proc/self/fd/" + std::to_string(file)));
  } catch (const InputError&) {
    // A refusal is a good answer.
  }
}

}  // namespace
}  // namespace casvit::dataio

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  casvit::dataio::check({data, size});
  return 0;
}
