// Our reducer beside PyTorch's own (c10d::Reducer, which is what DistributedDataParallel uses) on
// the same random graphs: unused parameters, several types, accumulation; under mpirun.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <torch/csrc/distributed/c10d/reducer.hpp>
#include <vector>

#include "tests/launch/world_main.h"
#include "tests/trainer/parallel/c10d_backend.h"
#include "trainer/parallel/gradient_reducer.h"

namespace casvit::trainer {
namespace {

/// A random graph over parameters: each used one enters at one to three places, so that its
/// gradient is the sum of what comes from them. Drawn alike on every rank; the data differ.
class RandomGraph {
 public:
  explicit RandomGraph(std::mt19937& random) : seed_(random()) {
    const std::size_t count = 2 + random() % 15;
    for (std::size_t i = 0; i < count; ++i) {
      constexpr std::array kTypes{at::kFloat, at::kFloat, at::kDouble, at::kBFloat16};
      shapes_.push_back({static_cast<std::int64_t>(1 + random() % 40),
                         static_cast<std::int64_t>(1 + random() % 40)});
      types_.push_back(kTypes[random() % kTypes.size()]);
      uses_.push_back(random() % 5 == 0 ? 0 : static_cast<int>(1 + random() % 3));
    }
    uses_[random() % count] = 1;  // some gradient there must be
  }

  std::vector<at::Tensor> parameters() const {
    std::vector<at::Tensor> all;
    for (std::size_t i = 0; i < shapes_.size(); ++i) {
      all.push_back(draw(i, shapes_[i]).to(types_[i]).requires_grad_(true));
    }
    return all;
  }

  at::Tensor loss(const std::vector<at::Tensor>& parameters, int data) const {
    at::Tensor state = draw(1000 + static_cast<std::uint64_t>(data), {8}).to(at::kDouble);
    for (int use = 0; use < 3; ++use) {
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (use >= uses_[i]) continue;
        const at::Tensor weights =
            draw(2000 + static_cast<std::uint64_t>(data) * 100 + i * 3 + static_cast<unsigned>(use),
                 shapes_[i]);
        state = at::tanh(state + (parameters[i] * weights.to(types_[i])).sum().to(at::kDouble));
      }
    }
    return state.sum();
  }

  bool is_used(std::size_t i) const { return uses_[i] > 0; }
  at::ScalarType type(std::size_t i) const { return types_[i]; }

 private:
  at::Tensor draw(std::uint64_t key, at::IntArrayRef shape) const {
    std::mt19937_64 random(seed_ * 7919 + key);
    const at::Tensor values = at::empty(shape, at::kFloat);
    auto* const first = values.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < values.numel(); ++i) {
      first[i] = std::uniform_real_distribution<float>(-0.2F, 0.2F)(random);
    }
    return values;
  }

  std::uint64_t seed_;
  std::vector<std::vector<std::int64_t>> shapes_;
  std::vector<at::ScalarType> types_;
  std::vector<int> uses_;
};

/// c10d wants the parameters of a bucket to have one type.
std::vector<std::vector<std::size_t>> buckets_by_type(const std::vector<at::Tensor>& parameters) {
  std::vector<std::vector<std::size_t>> buckets;
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kBFloat16}) {
    std::vector<std::size_t> members;
    for (std::size_t i = parameters.size(); i-- > 0;) {
      if (parameters[i].scalar_type() == type) members.push_back(i);
      if (members.size() == 3) buckets.push_back(std::exchange(members, {}));
    }
    if (!members.empty()) buckets.push_back(members);
  }
  return buckets;
}

/// One unit in the last place of the larger, for each rank and shard that was added.
double tolerance(at::ScalarType type, double magnitude, int terms) {
  const double epsilon = type == at::kDouble ? 0x1p-52 : type == at::kFloat ? 0x1p-23 : 0x1p-7;
  return magnitude * epsilon * terms;
}

TEST(ReducerAgainstC10d, GivesTheSameGradientsOnRandomGraphs) {
  launch::Communicator& communicator = launch::test_world().communicator();
  const auto group = make_process_group(communicator);
  std::mt19937 random(20260);
  for (int round = 0; round < 40; ++round) {
    SCOPED_TRACE(round);
    const RandomGraph graph(random);
    const int shards = 1 + static_cast<int>(random() % 3);
    const std::vector<at::Tensor> theirs = graph.parameters();
    const std::vector<at::Tensor> ours = graph.parameters();

    c10d::Reducer reference(theirs, buckets_by_type(theirs), group,
                            std::vector<bool>(theirs.size(), false), 1 << 20,
                            /*find_unused_parameters=*/true, /*gradient_as_bucket_view=*/false, {},
                            1 << 20, /*skip_all_reduce_unused_params=*/false,
                            /*use_python_reducer=*/false, {});
    ReducerOptions options;
    options.bucket_bytes = 256 << (random() % 8);
    options.first_bucket_bytes = 128;
    GradientReducer reducer(ours, 1, communicator, options);

    for (int step = 0; step < 2; ++step) {
      reducer.start_step(shards);
      for (int shard = 0; shard < shards; ++shard) {
        const int data = (step * communicator.size() + communicator.rank()) * shards + shard;
        const at::Tensor reference_loss = graph.loss(theirs, data);
        // As DistributedDataParallel outside no_sync: the last backward exchanges what accumulated.
        if (shard + 1 == shards) reference.prepare_for_backward({reference_loss});
        reference_loss.backward();
        reducer.start_shard();
        graph.loss(ours, data).backward();
      }
      reducer.finish();
      for (std::size_t i = 0; i < ours.size(); ++i) {
        SCOPED_TRACE(i);
        if (!graph.is_used(i)) {
          EXPECT_FALSE(theirs[i].grad().defined());
          EXPECT_EQ(ours[i].grad().count_nonzero().item<std::int64_t>(), 0);
          continue;
        }
        // c10d averages over ranks.
        const at::Tensor expected = theirs[i].grad().to(at::kDouble) * communicator.size();
        const at::Tensor difference = (ours[i].grad().to(at::kDouble) - expected).abs();
        const double largest = expected.abs().max().item<double>();
        EXPECT_GT(largest, 0);
        EXPECT_LE(difference.max().item<double>(),
                  tolerance(graph.type(i), largest, communicator.size() * shards));
      }
      for (const at::Tensor& parameter : theirs) parameter.mutable_grad().reset();
      if (step == 0) reducer.rearrange(options.bucket_bytes);
    }
  }
}

}  // namespace
}  // namespace casvit::trainer
