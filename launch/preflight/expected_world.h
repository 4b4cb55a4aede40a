#pragma once

#include <string>
#include <vector>

#include "launch/world.h"

namespace casvit::launch {

/// The world that a job is meant for; 0: any.
struct ExpectedWorld {
  int ranks = 0;  ///< launch.expect_ranks
  int hosts = 0;  ///< launch.expect_hosts
};

/// The one that it got, and what explains how it came to that.
struct WorldFound {
  int ranks = 1;
  int hosts = 1;
  std::string host;               ///< of the rank that looks
  bool by_launcher = false;       ///< mpirun or srun started it
  std::string mpi;                ///< the library and its version: "Open MPI v4.1.4"
  std::vector<std::string> orte;  ///< variables in the environment that Open MPI 5 ignores
};

WorldFound look_at(const World& world);

/// "2 ranks on 1 host".
std::string size_text(int ranks, int hosts);

/// What is wrong, and what to do about it, a line each; both empty where the world is the expected
/// one.
struct WorldProblem {
  std::string finding;
  std::string advice;
};
WorldProblem compare(const WorldFound& found, const ExpectedWorld& expected);

/// @throws WorldError where the world is another one: on every rank, as all see the same. Needs no
/// word with the others, who might not be there.
void require_world(const World& world, const ExpectedWorld& expected);

}  // namespace casvit::launch
