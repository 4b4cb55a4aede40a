// What the index of a million samples costs, on a machine with one process and with several.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <new>
#include <sstream>
#include <thread>

#include "dataio/container/dataset.h"
#include "dataio/container/index_builder.h"
#include "dataio/container/reader.h"
#include "dataio/container/writer.h"
#include "tests/dataio/temporary_folder.h"

namespace casvit::dataio {
namespace {

constexpr std::uint64_t kSamples = 1'000'000;
constexpr double kBytesASample = 64;
constexpr int kMostProcesses = 4;

/// A container of a million samples of one byte.
void write_large_container(const std::string& path) {
  const std::array<std::uint8_t, 1> byte{7};
  IndexBuilder builder({"a", "b"});
  for (std::uint64_t i = 0; i < kSamples; ++i) {
    SampleDescription sample;
    sample.length = sample.height = sample.width = 1;
    sample.xxh3 = XXH3_64bits(byte.data(), byte.size());
    sample.label = static_cast<std::int32_t>(i % 2);
    sample.source = "class/n0000000_" + std::to_string(i) + ".JPEG";
    builder.add(sample);
  }
  const ContainerIndex& index = builder.index();
  ContainerWriter writer(path);
  writer.blob().write(index.offset.back(), byte);
  writer.seal({.split = "all",
               .normalization = {},
               .created = "2024-05-31T12:00:00Z",
               .tool_version = "",
               .command_line = ""},
              index);
  writer.publish();
}

/// This process's share of the memory that it uses: a page that n processes share counts 1/n.
std::uint64_t proportional_bytes() {
  std::ifstream file("/proc/self/smaps_rollup");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("Pss:", 0) != 0) continue;
    std::uint64_t kib = 0;
    std::istringstream(line.substr(4)) >> kib;
    return kib * 1024;
  }
  throw std::runtime_error("there is no Pss in /proc/self/smaps_rollup");
}

/// What processes tell each other, in memory that they share.
struct Meeting {
  std::array<std::atomic<int>, 4> arrived;
  std::array<std::atomic<std::int64_t>, kMostProcesses> cost;
  std::array<std::atomic<std::uint64_t>, kMostProcesses> sum;

  /// Waits until all are there.
  void wait(std::size_t stage, int processes) {
    ++arrived[stage];
    while (arrived[stage] < processes) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
};

/// As a rank does over an epoch: looks up everything of every sample.
std::uint64_t use_index(const Dataset& dataset, const ContainerReader& reader) {
  std::uint64_t sum = 0;
  const MappedIndex& index = reader.index();
  for (std::uint64_t i = 0; i < dataset.size(); ++i) {
    sum += static_cast<std::uint64_t>(dataset.label(i)) + index.offset[i] + index.length[i] +
           index.xxh3[i] + index.height[i] + index.width[i] + index.codec[i] +
           index.orientation[i] + index.source_offset[i];
  }
  return sum;
}

void take_part(Meeting& meeting, const std::string& path, int process, int processes) {
  meeting.wait(0, processes);
  const auto before = static_cast<std::int64_t>(proportional_bytes());
  meeting.wait(1, processes);
  const Dataset dataset({path});
  const ContainerReader reader(path);
  meeting.sum[static_cast<std::size_t>(process)] = use_index(dataset, reader);
  meeting.wait(2, processes);
  const auto after = static_cast<std::int64_t>(proportional_bytes());
  meeting.cost[static_cast<std::size_t>(process)] = after - before;
  meeting.wait(3, processes);
}

class IndexMemory : public ::testing::TestWithParam<int> {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    write_large_container(path());
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static std::string path() { return *folder_ / "million.h5"; }

  static TemporaryFolder* folder_;
};
TemporaryFolder* IndexMemory::folder_ = nullptr;

TEST_P(IndexMemory, OfAMillionSamplesIsAtMost64BytesASampleOnTheWholeMachine) {
#ifdef CASVIT_SANITIZED
  GTEST_SKIP() << "sanitizers keep memory of their own for each byte that is read";
#endif
  const int processes = GetParam();
  void* shared =
      ::mmap(nullptr, sizeof(Meeting), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  auto* meeting = new (shared) Meeting{};
  std::vector<pid_t> children;
  for (int process = 0; process < processes; ++process) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      take_part(*meeting, path(), process, processes);
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(processes); ++i) {
    EXPECT_EQ(meeting->sum[i], meeting->sum[0]);
    bytes += meeting->cost[i];
  }
  const double a_sample = static_cast<double>(bytes) / static_cast<double>(kSamples);
  RecordProperty("bytes_a_sample", std::to_string(a_sample));
  std::cout << processes << " processes: " << a_sample << " bytes a sample\n";
  EXPECT_LE(a_sample, kBytesASample);
  EXPECT_GT(a_sample, 10) << "the index was not used";
  ::munmap(shared, sizeof(Meeting));
}

INSTANTIATE_TEST_SUITE_P(Processes, IndexMemory, ::testing::Values(1, kMostProcesses));

}  // namespace
}  // namespace casvit::dataio
