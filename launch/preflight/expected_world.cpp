#include "launch/preflight/expected_world.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "launch/error.h"
#include "launch/mpi_version.h"

namespace casvit::launch {
namespace {

constexpr std::string_view kOpenMpi = "Open MPI v";
constexpr std::string_view kOrte = "OMPI_MCA_orte_";
/// From this major version on Open MPI starts jobs with PRRTE, which knows none of ORTE's
/// variables.
constexpr int kFirstWithoutOrte = 5;

std::vector<std::string> orte_variables() {
  std::vector<std::string> names;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (text.starts_with(kOrte)) names.emplace_back(text.substr(0, text.find('=')));
  }
  return names;
}

std::string counted(int count, const char* thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

bool ignores_orte(const std::string& mpi) {
  return mpi.starts_with(kOpenMpi) && std::atoi(mpi.c_str() + kOpenMpi.size()) >= kFirstWithoutOrte;
}

/// One rank where several were meant: mostly not a wrong number, but N jobs of one rank each.
std::string advice_to_one_alone(const WorldFound& found, const std::string& expected) {
  if (!found.by_launcher) {
    return "no launcher started this process: use mpirun -np " + expected +
           " --bind-to none casvit_dist ..., or srun --mpi=pmix -n " + expected + " ...";
  }
  return "mpirun or srun may have started " + expected +
         " jobs of one rank each, where the launcher is of another MPI library than this "
         "program's (" +
         found.mpi + "): use mpirun of that one, or srun --mpi=pmix";
}

std::string advice_on_hosts(const WorldFound& found, const ExpectedWorld& expected) {
  if (found.hosts > expected.hosts) return "name fewer hosts (--host, --hostfile)";
  std::string text = "name all hosts in the command (mpirun --host or --hostfile, srun -N)";
  if (!ignores_orte(found.mpi)) return text;
  text += "; " + found.mpi + " ignores OMPI_MCA_orte_* variables";
  for (const std::string& name : found.orte) text += ", here " + name;
  return text;
}

}  // namespace

WorldFound look_at(const World& world) {
  return {.ranks = world.size(),
          .hosts = world.node_count(),
          .host = world.host(),
          .by_launcher = started_by_launcher(),
          .mpi = mpi_library_version(),
          .orte = orte_variables()};
}

std::string size_text(int ranks, int hosts) {
  return counted(ranks, "rank") + " on " + counted(hosts, "host");
}

WorldProblem compare(const WorldFound& found, const ExpectedWorld& expected) {
  const bool wrong_ranks = expected.ranks != 0 && expected.ranks != found.ranks;
  const bool wrong_hosts = expected.hosts != 0 && expected.hosts != found.hosts;
  if (!wrong_ranks && !wrong_hosts) return {};
  WorldProblem problem;
  problem.finding = "this job has " + size_text(found.ranks, found.hosts) +
                    (found.hosts == 1 ? " (" + found.host + ")" : "") + ", but ";
  if (wrong_ranks) problem.finding += "launch.expect_ranks is " + std::to_string(expected.ranks);
  if (wrong_hosts) {
    problem.finding += (wrong_ranks ? " and launch.expect_hosts is " : "launch.expect_hosts is ") +
                       std::to_string(expected.hosts);
  }
  if (wrong_ranks && found.ranks == 1) {
    problem.advice = advice_to_one_alone(found, std::to_string(expected.ranks));
  } else if (wrong_ranks) {
    problem.advice = "start " + std::to_string(expected.ranks) + " ranks (mpirun -np, srun -n)";
  }
  if (wrong_hosts) {
    problem.advice += (problem.advice.empty() ? "" : "; ") + advice_on_hosts(found, expected);
  }
  problem.advice += wrong_ranks && wrong_hosts ? "; or change both keys"
                    : wrong_ranks              ? "; or change launch.expect_ranks"
                                               : "; or change launch.expect_hosts";
  return problem;
}

void require_world(const World& world, const ExpectedWorld& expected) {
  // What explains a mismatch is looked up only where there is one.
  const bool right = (expected.ranks == 0 || expected.ranks == world.size()) &&
                     (expected.hosts == 0 || expected.hosts == world.node_count());
  if (right) return;
  const WorldProblem problem = compare(look_at(world), expected);
  throw WorldError(problem.finding + "\n  " + problem.advice);
}

}  // namespace casvit::launch
