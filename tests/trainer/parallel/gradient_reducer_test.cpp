// The sums of random graphs over shards and ranks, against plain sums; under mpirun.

#include "trainer/parallel/gradient_reducer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/launch/world_main.h"

namespace casvit::trainer {
namespace {

/// A graph over some of the parameters, drawn alike on every rank but for the values: each used
/// parameter is multiplied into a chain, in an order that differs from rank to rank.
struct Graph {
  std::vector<at::Tensor> parameters;
  std::vector<bool> used;

  Graph(std::mt19937& random, bool mixed_types) {
    const std::size_t count = 2 + random() % 20;
    for (std::size_t i = 0; i < count; ++i) {
      const auto type = mixed_types && random() % 3 == 0 ? at::kDouble : at::kFloat;
      const auto size = static_cast<std::int64_t>(1 + random() % 3000);
      parameters.push_back(at::linspace(-1, 1, size, at::TensorOptions().dtype(type)));
      used.push_back(random() % 5 != 0);
    }
  }

  /// The loss of one shard on one rank: its gradient by used parameter i is weight(i, shard).
  at::Tensor loss(int shard, bool backwards) const {
    at::Tensor sum = at::zeros({}, at::kDouble);
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      const std::size_t i = backwards ? parameters.size() - 1 - k : k;
      if (used[i]) sum = sum + (parameters[i] * weight(i, shard)).sum().to(at::kDouble);
    }
    return sum;
  }

  static double weight(std::size_t parameter, int shard) {
    return 0.1 * static_cast<double>(parameter + 1) + shard;
  }
};

TEST(GradientReducer, SumsRandomGraphsOverShardsAndRanks) {
  launch::Communicator& communicator = launch::test_world().communicator();
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    Graph graph(random, round % 2 == 1);
    ReducerOptions options;
    options.bucket_bytes = 64 << (random() % 10);
    options.first_bucket_bytes = 64 << (random() % 6);
    options.reproducible = round % 3 == 0;
    GradientReducer reducer(graph.parameters, 3, communicator, options);
    const int shards = 1 << (random() % 3);
    for (int step = 0; step < 3; ++step) {
      reducer.start_step(shards);
      double expected_tail = 0;
      for (int s = 0; s < shards; ++s) {
        reducer.start_shard();
        const int shard = communicator.rank() * shards + s;
        reducer.tail().add_(shard);
        if (std::any_of(graph.used.begin(), graph.used.end(), [](bool one) { return one; })) {
          graph.loss(shard, communicator.rank() % 2 == 1).backward();
        }
      }
      reducer.finish();
      const int all = shards * communicator.size();
      for (int shard = 0; shard < all; ++shard) expected_tail += shard;
      EXPECT_EQ(reducer.tail()[2].item<double>(), expected_tail);
      for (std::size_t i = 0; i < graph.parameters.size(); ++i) {
        double expected = 0;
        for (int shard = 0; graph.used[i] && shard < all; ++shard) {
          expected += Graph::weight(i, shard);
        }
        const at::Tensor gradient = graph.parameters[i].grad();
        EXPECT_NEAR(gradient.min().item<double>(), expected, 1e-5 * (1 + expected)) << i;
        EXPECT_NEAR(gradient.max().item<double>(), expected, 1e-5 * (1 + expected)) << i;
      }
      if (step == 0) {
        EXPECT_TRUE(reducer.order_known());
        reducer.rearrange(options.bucket_bytes * 2);
      }
    }
  }
}

TEST(GradientReducer, ScatterGivesEachRankTheSumsOfItsOwnParts) {
  launch::Communicator& communicator = launch::test_world().communicator();
  std::mt19937 random(8);
  Graph graph(random, false);
  ReducerOptions options;
  options.scatter = true;
  GradientReducer reducer(graph.parameters, 1, communicator, options);
  reducer.start_step(1);
  reducer.start_shard();
  graph.loss(communicator.rank(), false).backward();
  reducer.finish();
  for (std::size_t i = 0; i < graph.parameters.size(); ++i) {
    if (reducer.layout().owner[i] != communicator.rank()) continue;
    double expected = 0;
    for (int rank = 0; graph.used[i] && rank < communicator.size(); ++rank) {
      expected += Graph::weight(i, rank);
    }
    EXPECT_NEAR(graph.parameters[i].grad().max().item<double>(), expected, 1e-5 * (1 + expected));
  }
}

TEST(GradientReducer, RefusesAReproducibleSumOfThreeShards) {
  ReducerOptions options;
  options.reproducible = true;
  GradientReducer reducer({at::ones({4})}, 1, launch::test_world().communicator(), options);
  EXPECT_THROW(reducer.start_step(3), std::invalid_argument);
}

}  // namespace
}  // namespace casvit::trainer
