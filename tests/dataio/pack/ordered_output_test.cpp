#include "dataio/pack/ordered_output.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <random>
#include <thread>

#include "dataio/error.h"
#include "tests/dataio/temporary_folder.h"

namespace casvit::dataio {
namespace {

/// A piece of candidates `first`, `first + 1`, ...: each has a record of its number, and bytes that
/// tell it, in part (number % 2).
PreparedPiece piece_of(std::uint64_t first, std::uint64_t count) {
  PreparedPiece piece;
  piece.first = first;
  piece.bytes.resize(2);
  for (std::uint64_t i = first; i < first + count; ++i) {
    SampleRecord record;
    record.length = static_cast<std::uint32_t>(1 + i * 37 % 200);
    record.xxh3 = i;
    piece.records.push_back(record);
    auto& bytes = piece.bytes[i % 2];
    bytes.resize((bytes.size() + 63) / 64 * 64);
    bytes.insert(bytes.end(), record.length, static_cast<std::uint8_t>(i));
  }
  return piece;
}

std::vector<std::uint64_t> numbers_in(const std::string& log) {
  std::vector<std::uint64_t> numbers;
  for (std::string_view rest = log; !rest.empty();) numbers.push_back(take_record(rest).xxh3);
  return numbers;
}

/// A piece that is submitted on a thread of its own.
class Submission {
 public:
  Submission(OrderedOutput& output, PreparedPiece piece)
      : thread_([this, &output, piece = std::move(piece)]() mutable {
          output.submit(std::move(piece));
          done_ = true;
        }) {}

  /// Whether `submit` returns, within a while that is long enough for any that does not wait.
  bool comes_back() const {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return done_;
  }
  void join() { thread_.join(); }

 private:
  std::atomic<bool> done_{false};
  std::jthread thread_;
};

class OrderedOutputTest : public ::testing::Test {
 protected:
  OrderedOutputTest()
      : even_(folder_ / "even", "even", 0, BlobFile::Begin::kAnew),
        odd_(folder_ / "odd", "odd", 0, BlobFile::Begin::kAnew) {}

  OrderedOutput output(std::size_t parked_bytes) {
    return {{&even_, &odd_}, {0, 0}, 0, parked_bytes, [](auto, const auto&) {}};
  }

  TemporaryFolder folder_;
  BlobFile even_;
  BlobFile odd_;
};

TEST_F(OrderedOutputTest, PlacesPiecesInOrderHoweverTheyCome) {
  Bytes expected;
  for (const bool reversed : {false, true}) {
    OrderedOutput output = this->output(1 << 20);
    std::vector<std::uint64_t> firsts(20);
    std::iota(firsts.begin(), firsts.end(), 0);
    if (reversed) std::reverse(firsts.begin(), firsts.end());
    for (const std::uint64_t first : firsts) output.submit(piece_of(first * 3, 3));
    std::vector<std::uint64_t> all(60);
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(numbers_in(output.take_written()), all);
    EXPECT_EQ(output.written(), 60U);
    const Bytes bytes = file_bytes(folder_ / "odd");
    if (!reversed) expected = bytes;
    EXPECT_EQ(bytes, expected);
    ASSERT_GT(bytes.size(), 64U * 30 - 64);
    EXPECT_EQ(bytes[0], 1);
  }
}

TEST_F(OrderedOutputTest, ComesToAnEndHoweverLittleMayWait) {
  OrderedOutput output = this->output(1000);  // less than a few pieces
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> next{0};
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 rng(static_cast<unsigned>(t));
      for (std::uint64_t i = next++; i < 200; i = next++) {
        std::this_thread::sleep_for(std::chrono::microseconds(rng() % 300));
        output.submit(piece_of(i * 2, 2));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(output.written(), 400U);
  const auto numbers = numbers_in(output.take_written());
  ASSERT_EQ(numbers.size(), 400U);
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
}

TEST_F(OrderedOutputTest, LetsNoMoreThanItsLimitWait) {
  const std::size_t one = piece_of(2, 2).total_bytes();
  OrderedOutput output = this->output(one + piece_of(4, 2).total_bytes() - 1);
  output.submit(piece_of(2, 2));  // parked
  Submission second(output, piece_of(4, 2));
  EXPECT_FALSE(second.comes_back());  // one byte too much
  output.submit(piece_of(0, 2));
  second.join();
  EXPECT_EQ(output.written(), 6U);
}

TEST_F(OrderedOutputTest, SaysWhatIsWrittenOnlyWhenAllBeforeItIs) {
  OrderedOutput output = this->output(1 << 20);
  output.submit(piece_of(1, 1));
  EXPECT_EQ(output.take_written(), "");
  EXPECT_EQ(output.written(), 0U);
  output.submit(piece_of(0, 1));
  EXPECT_EQ(numbers_in(output.take_written()), (std::vector<std::uint64_t>{0, 1}));
  EXPECT_EQ(output.take_written(), "");
}

TEST_F(OrderedOutputTest, EndsWaitingWhenStopped) {
  OrderedOutput output = this->output(0);
  Submission waiting(output, piece_of(5, 1));
  EXPECT_FALSE(waiting.comes_back());
  output.stop();
  waiting.join();
  output.submit(piece_of(0, 5));  // nothing more is taken
  EXPECT_EQ(output.written(), 0U);
  EXPECT_TRUE(file_bytes(folder_ / "odd").empty());
}

TEST_F(OrderedOutputTest, ReportsTheFirstRefusedCandidateWhateverTheOrder) {
  std::vector<std::uint64_t> seen;
  OrderedOutput output({&even_, &odd_}, {0, 0}, 0, 1 << 20,
                       [&seen](std::uint64_t candidate, const SampleRecord&) {
                         seen.push_back(candidate);
                         if (candidate == 2) throw InputError("two");
                       });
  output.submit(piece_of(3, 3));
  output.submit(piece_of(2, 1));
  EXPECT_THROW(output.submit(piece_of(0, 2)), InputError);
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{0, 1, 2}));
}

}  // namespace
}  // namespace casvit::dataio
