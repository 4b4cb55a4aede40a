// casvit_scale_machine: what the simulation needs to know of this machine, and what it should
// reproduce. Under mpirun with two ranks or more; rank 0 prints JSON.
//
//   mpirun -np 2 casvit_scale_machine link      a message's latency, ranks' bandwidth, sums
//   mpirun -np 2 casvit_scale_machine launch    all_reduce of launch::Communicator by size

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "launch/mpi/check.h"
#include "launch/reduction.h"
#include "launch/world.h"

namespace casvit::scale {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_of(const std::function<void()>& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Quickest and middle one of `rounds` times.
nlohmann::json best_of(int rounds, const std::function<double()>& seconds) {
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) times.push_back(seconds());
  std::sort(times.begin(), times.end());
  return {{"best", times.front()}, {"median", times[times.size() / 2]}};
}

/// Ranks 0 and 1 send `bytes` to and fro `times` times; the others wait.
double ping_pong(int rank, std::size_t bytes, int times) {
  std::vector<char> buffer(bytes);
  MPI_Barrier(MPI_COMM_WORLD);
  return seconds_of([&] {
    for (int i = 0; i < times; ++i) {
      for (const int sender : {0, 1}) {
        if (rank == sender) {
          MPI_Send(buffer.data(), static_cast<int>(bytes), MPI_BYTE, 1 - rank, 0, MPI_COMM_WORLD);
        } else if (rank == 1 - sender) {
          MPI_Recv(buffer.data(), static_cast<int>(bytes), MPI_BYTE, sender, 0, MPI_COMM_WORLD,
                   MPI_STATUS_IGNORE);
        }
      }
    }
  });
}

/// Every rank sends `bytes` to the next one and receives as much, at once.
double exchange(int rank, int ranks, std::size_t bytes) {
  static std::vector<char> out;
  static std::vector<char> in;
  out.resize(bytes);
  in.resize(bytes);
  MPI_Barrier(MPI_COMM_WORLD);
  return seconds_of([&] {
    MPI_Sendrecv(out.data(), static_cast<int>(bytes), MPI_BYTE, (rank + 1) % ranks, 0, in.data(),
                 static_cast<int>(bytes), MPI_BYTE, (rank + ranks - 1) % ranks, 0, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
  });
}

double sum_seconds(std::size_t elements) {
  static std::vector<float> a;
  static std::vector<float> b;
  a.assign(elements, 1.0F);
  b.assign(elements, 2.0F);
  const std::vector<const void*> inputs{a.data(), b.data()};
  return seconds_of([&] {
    launch::reduce(inputs, a.data(), elements, launch::ElementType::kFloat32,
                   launch::ReduceOp::kSum);
  });
}

void measure_link() {
  MPI_Init(nullptr, nullptr);
  int rank = 0;
  int ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  constexpr std::size_t kLarge = 1 << 20;
  constexpr int kTimes = 100;
  const nlohmann::json latency =
      best_of(50, [&] { return ping_pong(rank, 8, kTimes) / (2 * kTimes); });
  const nlohmann::json exchanged = best_of(100, [&] { return exchange(rank, ranks, kLarge); });
  const nlohmann::json summed = best_of(100, [] { return sum_seconds(kLarge / sizeof(float)); });
  if (rank == 0) {
    std::cout << nlohmann::json{{"ranks", ranks},
                                {"latency_seconds", latency},
                                {"exchange_1MiB_seconds", exchanged},
                                {"sum_2MiB_seconds", summed}}
              << '\n';
  }
  MPI_Finalize();
}

void measure_launch() {
  launch::World world = launch::World::start();
  launch::Communicator& communicator = world.communicator();
  nlohmann::json sizes = nlohmann::json::array();
  for (const std::size_t bytes :
       {std::size_t{100'000}, std::size_t{500'000}, std::size_t{1'000'000}, std::size_t{4'000'000},
        std::size_t{12'000'000}}) {
    std::vector<float> values(bytes / sizeof(float), 0.0F);
    const nlohmann::json seconds = best_of(100, [&] {
      communicator.barrier();
      return seconds_of([&] {
        communicator
            .all_reduce(values.data(), values.size(), launch::ElementType::kFloat32,
                        launch::ReduceOp::kSum)
            .wait();
      });
    });
    sizes.push_back({{"bytes", bytes}, {"seconds", seconds}});
  }
  if (world.rank() == 0) {
    std::cout << nlohmann::json{{"ranks", world.size()}, {"all_reduce", sizes}} << '\n';
  }
  world.finish();
}

int run(const std::string& what) {
  if (what == "link") {
    measure_link();
  } else if (what == "launch") {
    measure_launch();
  } else {
    std::cerr << "casvit_scale_machine: say link or launch, e.g.\n"
                 "  mpirun -np 2 casvit_scale_machine link\n";
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace casvit::scale

int main(int argc, char** argv) {
  try {
    return casvit::scale::run(argc > 1 ? argv[1] : "");
  } catch (const std::exception& error) {
    std::cerr << "casvit_scale_machine: " << error.what() << '\n';
    return 5;
  }
}
