// Every collective x type x in place or not x count x size of pieces, against closed forms.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>

#include "tests/launch/typed_buffer.h"
#include "tests/launch/world_main.h"

namespace casvit::launch {
namespace {

/// What rank `rank` contributes at `index`: small integers, exact in every type, and so are their
/// sums over a few ranks.
double contribution(int rank, std::size_t index) {
  return static_cast<double>((index * 7 + static_cast<std::size_t>(rank) * 5) % 17);
}

double reduced(ReduceOp op, std::size_t index) {
  double result = contribution(0, index);
  for (int rank = 1; rank < test_world().size(); ++rank) {
    const double next = contribution(rank, index);
    result = op == ReduceOp::kSum ? result + next : std::max(result, next);
  }
  return result;
}

struct Sizes {
  std::size_t piece_bytes;
  std::size_t count;
};

class Collectives : public testing::TestWithParam<std::tuple<ElementType, Sizes>> {
 protected:
  Collectives() : communicator_(test_world().make_communicator(sizes_.piece_bytes)) {}

  const ElementType type_ = std::get<0>(GetParam());
  const Sizes sizes_ = std::get<1>(GetParam());
  const std::size_t count_ = sizes_.count;
  const int rank_ = test_world().rank();
  const std::size_t ranks_ = static_cast<std::size_t>(test_world().size());
  const std::size_t mine_ = static_cast<std::size_t>(test_world().rank()) * sizes_.count;
  const std::unique_ptr<Communicator> communicator_;
};

TEST_P(Collectives, AllReduce) {
  for (const ReduceOp op : {ReduceOp::kSum, ReduceOp::kMax}) {
    TypedBuffer buffer(type_, count_);
    for (std::size_t i = 0; i < count_; ++i) buffer.set(i, contribution(rank_, i));
    communicator_->all_reduce(buffer.data(), count_, type_, op).wait();
    for (std::size_t i = 0; i < count_; ++i) ASSERT_EQ(buffer.get(i), reduced(op, i)) << i;
  }
}

TEST_P(Collectives, ReduceScatter) {
  for (const ReduceOp op : {ReduceOp::kSum, ReduceOp::kMax}) {
    TypedBuffer input(type_, count_ * ranks_);
    for (std::size_t i = 0; i < count_ * ranks_; ++i) input.set(i, contribution(rank_, i));
    const TypedBuffer untouched = input;
    TypedBuffer output(type_, count_);
    communicator_->reduce_scatter(input.data(), output.data(), count_, type_, op).wait();
    for (std::size_t i = 0; i < count_; ++i) ASSERT_EQ(output.get(i), reduced(op, mine_ + i)) << i;
    EXPECT_EQ(input, untouched);
  }
}

TEST_P(Collectives, ReduceScatterInPlace) {
  TypedBuffer buffer(type_, count_ * ranks_);
  for (std::size_t i = 0; i < count_ * ranks_; ++i) buffer.set(i, contribution(rank_, i));
  communicator_->reduce_scatter(buffer.data(), buffer.at(mine_), count_, type_, ReduceOp::kSum)
      .wait();
  for (std::size_t i = 0; i < count_; ++i) {
    ASSERT_EQ(buffer.get(mine_ + i), reduced(ReduceOp::kSum, mine_ + i)) << i;
  }
}

TEST_P(Collectives, AllGather) {
  for (const bool in_place : {false, true}) {
    TypedBuffer input(type_, count_);
    TypedBuffer output(type_, count_ * ranks_);
    for (std::size_t i = 0; i < count_; ++i) {
      input.set(i, contribution(rank_, i));
      if (in_place) output.set(mine_ + i, contribution(rank_, i));
    }
    const void* from = in_place ? output.at(mine_) : input.data();
    communicator_->all_gather(from, output.data(), count_, type_).wait();
    for (std::size_t i = 0; i < count_ * ranks_; ++i) {
      ASSERT_EQ(output.get(i), contribution(static_cast<int>(i / count_), i % count_)) << i;
    }
  }
}

TEST_P(Collectives, BroadcastFromEveryRoot) {
  for (int root = 0; root < test_world().size(); ++root) {
    TypedBuffer buffer(type_, count_);
    for (std::size_t i = 0; i < count_; ++i) buffer.set(i, contribution(rank_, i));
    communicator_->broadcast(buffer.data(), count_, type_, root).wait();
    for (std::size_t i = 0; i < count_; ++i) ASSERT_EQ(buffer.get(i), contribution(root, i)) << i;
  }
}

std::string name_of(const testing::TestParamInfo<Collectives::ParamType>& info) {
  const auto& [type, sizes] = info.param;
  return std::string(element_name(type)) + "_" + std::to_string(sizes.count) + "_in_pieces_of_" +
         std::to_string(sizes.piece_bytes);
}

constexpr std::size_t kDefaultPiece = std::size_t{4} << 20;

INSTANTIATE_TEST_SUITE_P(
    Sweep, Collectives,
    testing::Combine(testing::Values(ElementType::kFloat32, ElementType::kFloat64,
                                     ElementType::kBFloat16, ElementType::kFloat16,
                                     ElementType::kInt64, ElementType::kUInt8),
                     // Nothing, one element (fewer than ranks), odd counts, one element a piece,
                     // pieces that do not divide the count, several default pieces.
                     testing::Values(Sizes{kDefaultPiece, 0}, Sizes{kDefaultPiece, 1},
                                     Sizes{kDefaultPiece, 7}, Sizes{1, 7}, Sizes{64, 301},
                                     Sizes{1000, 12345}, Sizes{kDefaultPiece, 100003})),
    name_of);

TEST(LargeCollectives, SpanSeveralDefaultPieces) {
  constexpr std::size_t kCount = 3'500'001;  // 14 MB: the gradients of rcvit_xs
  Communicator& communicator = test_world().communicator();
  std::vector<float> buffer(kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    buffer[i] = static_cast<float>(contribution(test_world().rank(), i));
  }
  communicator.all_reduce(buffer.data(), kCount, ElementType::kFloat32, ReduceOp::kSum).wait();
  for (std::size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(buffer[i], static_cast<float>(reduced(ReduceOp::kSum, i))) << i;
  }
}

TEST(Arguments, AreCheckedBeforeAnythingIsSent) {
  Communicator& communicator = test_world().communicator();
  float value = 0;
  EXPECT_THROW(communicator.broadcast(&value, 1, ElementType::kFloat32, test_world().size()),
               std::invalid_argument);
  EXPECT_THROW(communicator.broadcast(&value, 1, ElementType::kFloat32, -1), std::invalid_argument);
  EXPECT_THROW(communicator.all_reduce(nullptr, 1, ElementType::kFloat32, ReduceOp::kSum),
               std::invalid_argument);
  EXPECT_THROW(communicator.all_gather(&value, &value, static_cast<std::size_t>(-1) / 4,
                                       ElementType::kFloat32),
               std::invalid_argument);
  communicator.barrier();  // and the world still works
}

}  // namespace
}  // namespace casvit::launch
