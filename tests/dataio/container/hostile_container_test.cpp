// Containers whose bytes mean harm: refused with a reason, in bounded time and memory, never a
// crash.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstring>

#include "dataio/container/file_descriptor.h"
#include "dataio/container/hdf5_format/file_blocks.h"
#include "dataio/container/reader.h"
#include "dataio/container/schema.h"
#include "dataio/error.h"
#include "tests/dataio/container/broken_container.h"

namespace casvit::dataio {
namespace {

using ::testing::HasSubstr;

class HostileContainer : public ::testing::Test {
 protected:
  HostileContainer() {
    write_small_container(path_);
    file_ = FileDescriptor(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
    whole_ = file_bytes(path_);
    broken_ = whole_;
  }

  /// Where these letters stand, the `number`-th time.
  std::size_t find(const std::string& letters, int number = 0) const {
    auto at = whole_.begin();
    for (;; ++at) {
      at = std::search(at, whole_.end(), letters.begin(), letters.end());
      if (at == whole_.end()) throw std::runtime_error("there is no " + letters);
      if (number-- == 0) return static_cast<std::size_t>(at - whole_.begin());
    }
  }

  template <typename T>
  T get(std::size_t at) const {
    T value{};
    std::memcpy(&value, whole_.data() + at, sizeof value);
    return value;
  }

  template <typename T>
  void set(std::size_t at, T value) {
    std::memcpy(broken_.data() + at, &value, sizeof value);
  }

  /// What opening and reading everything complains about; "" where nothing does.
  std::string complaint() {
    // Over the old bytes: a file that is emptied first waits for the disk.
    EXPECT_EQ(write_at(file_.get(), 0, broken_), "");
    broken_ = whole_;
    try {
      const ContainerReader reader(path_);
      Bytes bytes;
      for (std::uint64_t i = 0; i < reader.index().samples(); ++i) {
        reader.read(i, bytes);
        static_cast<void>(reader.describe(i));
      }
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }

  /// Of the root group's object header (superblock 0 names it 64 bytes in).
  std::size_t root_header() const { return get<std::uint64_t>(64); }

  TemporaryFolder folder_;
  const std::string path_ = folder_ / "a.h5";
  FileDescriptor file_;
  Bytes whole_;
  Bytes broken_;
};

TEST_F(HostileContainer, AnyChangedByteIsSurvived) {
  std::size_t refused = 0;
  const std::size_t end = whole_.size();
  for (std::size_t at = 0; at < end; ++at) {
    const std::uint8_t before = whole_[at];
    broken_[at] = static_cast<std::uint8_t>(at % 3 == 0 ? 0xff - before : before ^ 1 << at % 8);
    if (!complaint().empty()) ++refused;
  }
  EXPECT_GT(refused, end / 10);
}

TEST_F(HostileContainer, AnyChangedNumberIsSurvived) {
  for (std::size_t at = 0; at + 8 <= whole_.size(); at += 8) {
    for (const std::uint64_t value :
         {std::uint64_t{0}, ~std::uint64_t{0}, ~std::uint64_t{0} - 7, std::uint64_t{1} << 63U,
          std::uint64_t{whole_.size()}, std::uint64_t{root_header()}}) {
      set(at, value);
      static_cast<void>(complaint());
    }
  }
}

TEST_F(HostileContainer, AHeaderThatContinuesInItselfEnds) {
  // The root's header goes on elsewhere: its continuation message is the only one of type 0x10.
  const std::size_t root = root_header();
  const Bytes message{0x10, 0, 16, 0, 0, 0, 0, 0};
  const auto at = std::search(whole_.begin() + static_cast<std::ptrdiff_t>(root), whole_.end(),
                              message.begin(), message.end());
  ASSERT_NE(at, whole_.end());
  const auto position = static_cast<std::size_t>(at - whole_.begin()) + message.size();
  set<std::uint64_t>(position, root + 16);
  EXPECT_THAT(complaint(), HasSubstr("the object header of / leads in circles"));
  set<std::uint64_t>(position, whole_.size() - 4);
  EXPECT_THAT(complaint(), HasSubstr("reaches beyond the end of the file"));
}

TEST_F(HostileContainer, AHeaderOfAnyLengthTakesNoMemory) {
  set<std::uint32_t>(root_header() + 8, 0xfffffff8U);
  EXPECT_THAT(complaint(), HasSubstr("the object header of / reaches beyond the end of the file"));
}

TEST_F(HostileContainer, ATreeThatContainsItselfEnds) {
  const std::size_t node = find("TREE");
  set<std::uint8_t>(node + 5, 3);  // levels above the leaves
  set<std::uint64_t>(node + 24 + 8, node);
  EXPECT_THAT(complaint(), HasSubstr("has an impossible level"));
  set<std::uint16_t>(node + 6, 0xffff);
  EXPECT_THAT(complaint(), HasSubstr("it is damaged"));
}

TEST_F(HostileContainer, ASymbolTableOfAnyLengthIsRefused) {
  set<std::uint16_t>(find("SNOD") + 6, 0xffff);
  EXPECT_THAT(complaint(), HasSubstr("a symbol table node of / reaches beyond the end"));
}

TEST_F(HostileContainer, NamesMustEndWithinTheirHeap) {
  const std::size_t heap = find("HEAP");
  set<std::uint64_t>(heap + 8, 9);  // bytes of names: the first one is cut
  EXPECT_THAT(complaint(), HasSubstr("it is damaged"));
  set<std::uint64_t>(heap + 8, 1ULL << 40U);
  EXPECT_THAT(complaint(), HasSubstr("the local heap of / reaches beyond the end of the file"));
}

TEST_F(HostileContainer, TextsMustLieWithinTheirHeap) {
  const std::size_t heap = find("GCOL");
  set<std::uint64_t>(heap + 8, 1ULL << 40U);
  EXPECT_THAT(complaint(), HasSubstr("reaches beyond the end of the file"));
  set<std::uint64_t>(heap + 8, 8);
  EXPECT_THAT(complaint(), HasSubstr("has an impossible size"));
  set<std::uint64_t>(heap + 16 + 8, 1ULL << 40U);  // the first text
  EXPECT_THAT(complaint(), HasSubstr("ends too early"));
}

/// What opening a file is refused with, having taken no more than 64 MiB.
std::string frugal_refusal(const std::string& path) {
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  std::string why;
  try {
    const ContainerReader reader(path);
  } catch (const InputError& error) {
    why = error.what();
  }
  rusage after{};
  ::getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 64 * 1024);  // KiB
  return why;
}

TEST_F(HostileContainer, AFileOfHolesCannotMakeUsTakeMemory) {
  // 8 GiB that take no disk: sizes within the file may be large, and are still not allocated.
  std::filesystem::resize_file(path_, std::uintmax_t{8} << 30U);
  set<std::uint32_t>(root_header() + 8, 0xfffffff8U);
  ASSERT_EQ(write_at(file_.get(), 0, broken_), "");
  EXPECT_THAT(frugal_refusal(path_), HasSubstr("is larger than any that a container has"));
}

TEST_F(HostileContainer, ClassesOfHolesCannotMakeUsTakeMemory) {
  constexpr std::uint64_t kMany = 1ULL << 27U;
  change_container(path_, [](hid_t file) {
    remove_array(file, schema::kClassesCount);
    create_array(file, schema::kClassesCount, hdf5_type<std::uint64_t>(), kMany);
  });
  EXPECT_THAT(frugal_refusal(path_), HasSubstr("/classes/count has 134217728"));
  write_container(path_, small_content());
  change_container(path_, [](hid_t file) {
    remove_array(file, schema::kClassesName);
    const Hdf5Handle type(CASVIT_HDF5(H5Tcopy(H5T_C_S1)), &H5Tclose);
    CASVIT_HDF5(H5Tset_size(type.get(), 4096));
    create_array(file, schema::kClassesName, type.get(), 65536);
    replace_array(file, schema::kClassesCount, std::vector<std::uint64_t>(65536));
  });
  EXPECT_THAT(frugal_refusal(path_), HasSubstr("a class name is empty"));
}

TEST(MetadataChecksum, IsThatOfThePublishedExamples) {
  // From the comments of Bob Jenkins' lookup3.c: hashlittle of 0 bytes and of this sentence.
  const std::string text = "Four score and seven years ago";
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  EXPECT_EQ(hdf5_format::metadata_checksum({}), 0xdeadbeefU);
  EXPECT_EQ(hdf5_format::metadata_checksum(bytes), 0x17770551U);
}

}  // namespace
}  // namespace casvit::dataio
