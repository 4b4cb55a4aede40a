// Arbitrary bytes as a file of torch.save: it is opened or refused with a CheckpointError, and of
// what it opened every tensor can be located, checked and read. Built with
// FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION, which leaves out the checksums that no fuzzer can
// guess.

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "trainer/error.h"
#include "trainer/import/checkpoint_contents.h"
#include "trainer/import/torch_file.h"

namespace casvit::trainer {
namespace {

/// One file in memory for all runs.
int memory_file() {
  static const int kFile = ::memfd_create("torch_file", MFD_CLOEXEC);
  return kFile;
}

void write_all(int file, const std::uint8_t* data, std::size_t size) {
  if (file < 0 || ::ftruncate(file, 0) != 0) std::abort();
  for (std::size_t done = 0; done < size;) {
    const ssize_t count = ::pwrite(file, data + done, size - done, static_cast<off_t>(done));
    if (count <= 0) std::abort();
    done += static_cast<std::size_t>(count);
  }
}

void read_tensor(const TorchFile& file, const TensorReference& tensor) {
  try {
    const TensorExtent extent = file.locate(tensor, "tensor");
    file.check_storage(tensor.storage);
    std::vector<char> bytes(extent.span * tensor.format.bytes);
    file.read(tensor.storage, extent.begin_byte, bytes.data(), bytes.size());
    // A tensor never takes more room than the file gives it.
    if (extent.elements > extent.span) std::abort();
  } catch (const CheckpointError&) {
    // A refusal is a good answer.
  }
}

void check(const std::uint8_t* data, std::size_t size) {
  write_all(memory_file(), data, size);
  try {
    const TorchFile file("/proc/self/fd/" + std::to_string(memory_file()));
    for (const TensorReference& tensor : file.graph().tensors) read_tensor(file, tensor);
    const CheckpointContents contents = read_contents(file);
    if (!contents.model && !contents.ema) std::abort();
  } catch (const CheckpointError&) {
    // A refusal is a good answer.
  }
}

}  // namespace
}  // namespace casvit::trainer

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  casvit::trainer::check(data, size);
  return 0;
}
