#include "dataio/container/file_mapping.h"

#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "dataio/container/display.h"
#include "dataio/container/file_descriptor.h"
#include "dataio/container/lost_mapping.h"
#include "dataio/error.h"

namespace casvit::dataio {

FileMapping::FileMapping(int descriptor, std::uint64_t offset, std::uint64_t length,
                         const std::string& path)
    : name_(std::make_unique<const std::string>(display_path(path))) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  first_ = offset / page * page;
  length_ = offset + length - first_;
  void* pages =
      ::mmap(nullptr, length_, PROT_READ, MAP_SHARED, descriptor, static_cast<off_t>(first_));
  if (pages == MAP_FAILED) {
    throw InputError("it cannot be mapped into memory: " + system_error_text());
  }
  pages_ = static_cast<const std::uint8_t*>(pages);
  slot_ = remember_mapping(pages_, length_, name_->c_str());
}

FileMapping::~FileMapping() { release(); }

FileMapping::FileMapping(FileMapping&& other) noexcept { *this = std::move(other); }

FileMapping& FileMapping::operator=(FileMapping&& other) noexcept {
  if (this != &other) {
    release();
    pages_ = std::exchange(other.pages_, nullptr);
    first_ = other.first_;
    length_ = other.length_;
    slot_ = std::exchange(other.slot_, 0);
    name_ = std::move(other.name_);
  }
  return *this;
}

void FileMapping::release() noexcept {
  if (pages_ == nullptr) return;
  forget_mapping(slot_);
  // Unmapping what was mapped cannot fail; a const cast, as munmap takes what mmap gave.
  ::munmap(const_cast<std::uint8_t*>(pages_),
           length_);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  pages_ = nullptr;
}

}  // namespace casvit::dataio
