#include "tools/scale/simulation/rank_program.h"

#include <mpi.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <simgrid/s4u.hpp>
#include <stdexcept>

#include "tools/scale/simulation/collectives.h"
#include "tools/scale/simulation/host_exchange.h"

namespace casvit::scale {
namespace {

namespace sg = simgrid::s4u;

const std::map<std::string, Algorithm>& algorithms() {
  static const std::map<std::string, Algorithm> kAlgorithms{
      {"ring", Algorithm::kRing},
      {"tree", Algorithm::kTree},
      {"hierarchical-ring", Algorithm::kHierarchicalRing},
      {"hierarchical-tree", Algorithm::kHierarchicalTree},
      {"host", Algorithm::kHost}};
  return kAlgorithms;
}

std::vector<std::vector<int>> nodes_of(const ExchangeOptions& options) {
  std::vector<std::vector<int>> nodes;
  for (int rank = 0; rank < options.ranks; ++rank) {
    if (rank % options.ranks_per_node == 0) nodes.emplace_back();
    nodes.back().push_back(rank);
  }
  return nodes;
}

/// A rank's way to exchange: transfers are started in order, no earlier than they are ready, one
/// after another (NCCL's stream) or in a pipeline (the host).
class Exchanger {
 public:
  Exchanger(int rank, const ExchangeOptions& options, const std::vector<std::vector<int>>& nodes,
            std::byte* buffer)
      : rank_(rank), options_(options), nodes_(nodes), buffer_(buffer), host_(rank, options.ranks) {
    world_.place = rank;
    for (int member = 0; member < options.ranks; ++member) world_.members.push_back(member);
  }

  /// Returns when all are over. @param start of the step @param stretch of this rank's computation
  void run(const std::vector<Transfer>& transfers, double start, double stretch) {
    for (const Transfer& transfer : transfers) {
      const double ready = start + transfer.ready_seconds * stretch;
      if (options_.algorithm == Algorithm::kHost) {
        host_.run_until(ready);
        host_.issue(transfer, buffer_);
      } else {
        if (ready > sg::Engine::get_clock()) sg::this_actor::sleep_until(ready);
        sg::this_actor::sleep_for(options_.launch_seconds);
        exchange(transfer);
      }
    }
    host_.run();
  }

 private:
  void exchange(const Transfer& transfer) {
    switch (transfer.kind) {
      case Transfer::Kind::kReduceScatter:
        return ring_reduce_scatter(world_, buffer_, transfer.bytes);
      case Transfer::Kind::kAllGather:
        return ring_all_gather(world_, buffer_, transfer.bytes);
      case Transfer::Kind::kAllReduce:
        break;
    }
    switch (options_.algorithm) {
      case Algorithm::kTree:
        return tree_all_reduce(nodes_, rank_, buffer_, transfer.bytes);
      case Algorithm::kHierarchicalRing:
      case Algorithm::kHierarchicalTree:
        return hierarchical_all_reduce(nodes_, rank_,
                                       options_.algorithm == Algorithm::kHierarchicalTree, buffer_,
                                       transfer.bytes);
      case Algorithm::kRing:
      case Algorithm::kHost:
        return ring_all_reduce(world_, buffer_, transfer.bytes);
    }
  }

  int rank_;
  const ExchangeOptions& options_;
  const std::vector<std::vector<int>>& nodes_;
  std::byte* buffer_;
  Group world_;
  HostExchange host_;
};

double draw_stretch(const ExchangeOptions& options, int rank) {
  if (options.jitter <= 0) return 1;
  std::mt19937 random(options.seed * 1'000'003U + static_cast<unsigned>(rank));
  std::normal_distribution<double> normal(0, 1);
  return std::max(0.1, 1 + options.jitter * std::clamp(normal(random), -3.0, 3.0));
}

/// When every rank begins: by then all have left MPI_Init.
constexpr double kStart = 1;

/// Runs `program(rank, exchanger)` on every simulated rank, from kStart on.
void run_ranks(const ExchangeOptions& options, const std::vector<sg::Host*>& hosts,
               std::int64_t buffer_bytes,
               const std::function<void(int rank, Exchanger& exchanger)>& program) {
  const std::vector<std::vector<int>> nodes = nodes_of(options);
  // One block for all ranks: SMPI copies nothing into it, nor out of it.
  std::byte* buffer = nullptr;
  int running = options.ranks;
  const auto body = [&] {
    MPI_Init(nullptr, nullptr);
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (buffer == nullptr) {
      buffer = static_cast<std::byte*>(SMPI_SHARED_MALLOC(static_cast<std::size_t>(buffer_bytes)));
    }
    {
      Exchanger exchanger(rank, options, nodes, buffer);
      sg::this_actor::sleep_until(kStart);
      program(rank, exchanger);
    }
    if (--running == 0) SMPI_SHARED_FREE(buffer);
    MPI_Finalize();
  };
  SMPI_app_instance_register("casvit", nullptr, options.ranks);
  for (int rank = 0; rank < options.ranks; ++rank) {
    const sg::ActorPtr actor =
        sg::Actor::init("rank" + std::to_string(rank), hosts[static_cast<std::size_t>(rank)]);
    actor->set_property("instance_id", "casvit");
    actor->set_property("rank", std::to_string(rank));
    actor->start(body);
  }
  sg::Engine::get_instance()->run();
}

}  // namespace

Algorithm algorithm_of(const std::string& name) {
  const auto found = algorithms().find(name);
  if (found != algorithms().end()) return found->second;
  std::string names;
  for (const auto& [known, algorithm] : algorithms()) names += (names.empty() ? "" : ", ") + known;
  throw std::invalid_argument("there is no algorithm \"" + name + "\"; use one of " + names);
}

StepOutcome simulate_step(const StepSchedule& schedule, const ExchangeOptions& options,
                          const std::vector<sg::Host*>& hosts) {
  std::int64_t largest = 1;
  for (const Transfer& transfer : schedule.during_backward) {
    largest = std::max(largest, transfer.bytes);
  }
  for (const Transfer& transfer : schedule.after_update) {
    largest = std::max(largest, transfer.bytes);
  }
  if (schedule.norms) largest = std::max(largest, schedule.norms->bytes);
  StepOutcome outcome;
  run_ranks(options, hosts, largest, [&](int rank, Exchanger& exchanger) {
    const double start = kStart;
    const double stretch = draw_stretch(options, rank);
    exchanger.run(schedule.during_backward, start, stretch);
    const double computed = start + schedule.compute_seconds * stretch;
    if (computed > sg::Engine::get_clock()) sg::this_actor::sleep_until(computed);
    if (schedule.norms) {
      exchanger.run({*schedule.norms}, start, stretch);
    }
    const double reduced = sg::Engine::get_clock();
    sg::this_actor::sleep_for(schedule.optimizer_seconds);
    const double updated = sg::Engine::get_clock();
    exchanger.run(schedule.after_update, start, stretch);
    const double end = sg::Engine::get_clock();
    outcome.step_seconds = std::max(outcome.step_seconds, end - start);
    outcome.reduced_seconds = std::max(outcome.reduced_seconds, reduced - start);
    if (rank == 0) {
      outcome.exposed_seconds = (reduced - computed) + (end - updated);
    }
  });
  return outcome;
}

double simulate_transfer(const Transfer& transfer, const ExchangeOptions& options,
                         const std::vector<sg::Host*>& hosts) {
  double seconds = 0;
  run_ranks(options, hosts, transfer.bytes, [&](int, Exchanger& exchanger) {
    const double start = kStart;
    exchanger.run({transfer}, start, 1);
    seconds = std::max(seconds, sg::Engine::get_clock() - start);
  });
  return seconds;
}

}  // namespace casvit::scale
