#include "dataio/container/lost_mapping.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>

#include "dataio/container/reader.h"
#include "tests/dataio/container/small_container.h"

namespace casvit::dataio {
namespace {

constexpr int kExitCode = 3;

void sum_of_index(const ContainerReader& reader) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < reader.index().samples(); ++i) {
    sum += reader.index().offset[i] + reader.index().xxh3[i];
  }
  std::exit(sum == 1 ? 1 : 0);  // the sum is used, so that it is computed
}

TEST(LostMappingDeathTest, AFileCutShortWhileInUseEndsWithItsName) {
  const TemporaryFolder folder;
  const std::string path = folder / "a\n.h5";
  write_small_container(path);
  EXPECT_EXIT(
      {
        explain_lost_mappings("casvit-pack", kExitCode);
        const ContainerReader reader(path);
        ASSERT_EQ(::truncate(path.c_str(), 10), 0);
        sum_of_index(reader);
      },
      ::testing::ExitedWithCode(kExitCode),
      "^casvit-pack: cannot read .*/a.x0a.h5: it was cut short, or its disk failed, while it was "
      "in "
      "use; restore it from a copy\n$");
}

TEST(LostMappingDeathTest, AWholeFileIsRead) {
  const TemporaryFolder folder;
  write_small_container(folder / "a.h5");
  EXPECT_EXIT(
      {
        explain_lost_mappings("casvit-pack", kExitCode);
        sum_of_index(ContainerReader(folder / "a.h5"));
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(LostMappingDeathTest, AnyOtherBusErrorEndsTheProgramAsBefore) {
  const TemporaryFolder folder;
  const std::string path = folder / "other";
  write_text(path, "no container");
  EXPECT_DEATH(
      {
        explain_lost_mappings("casvit-pack", kExitCode);
        std::signal(SIGALRM, SIG_DFL);
        ::alarm(
            20);  // a handler that returned for ever would be ended by this, with another signal
        const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
        auto* page = static_cast<volatile char*>(
            ::mmap(nullptr, 8192, PROT_READ, MAP_SHARED, file.get(), 0));
        const char behind_the_end = page[4096];
        std::exit(behind_the_end);
      },
      "");
}

}  // namespace
}  // namespace casvit::dataio
