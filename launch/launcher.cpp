#include "launch/launcher.h"

#include <cstdlib>

#include "launch/world.h"

namespace casvit::launch {
namespace {

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

}  // namespace

Launcher detect_launcher() {
  Launcher launcher;
  // Open MPI's mpirun; PMIx (Open MPI 5, srun --mpi=pmix); PMI 1 and 2 (MPICH, srun --mpi=pmi2).
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"}) {
    launcher.offers_mpi = launcher.offers_mpi || is_set(name);
  }
  for (const char* name : {"PMI_SIZE", "OMPI_COMM_WORLD_SIZE"}) {  // the innermost launcher's last
    if (is_set(name)) launcher.processes = std::atoi(std::getenv(name));
  }
  // A batch script has SLURM_PROCID too, but no step of several tasks.
  const char* tasks = std::getenv("SLURM_STEP_NUM_TASKS");
  if (!launcher.offers_mpi && is_set("SLURM_STEP_ID") && tasks != nullptr && std::atoi(tasks) > 1) {
    launcher.problem = "srun started " + std::string(tasks) +
                       " tasks without MPI, and each would train alone: use srun --mpi=pmix "
                       "(srun --mpi=list says what there is), or mpirun inside the allocation";
  }
  return launcher;
}

bool started_by_launcher() { return detect_launcher().offers_mpi; }

}  // namespace casvit::launch
