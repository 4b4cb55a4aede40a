#pragma once

#include <string>

namespace casvit::launch {

/// What the environment says about who started this process.
struct Launcher {
  bool offers_mpi = false;  ///< mpirun, or srun with PMIx or PMI
  int processes = 0;        ///< how many it says it started; 0 where it does not say
  /// Not empty: several processes were started side by side, with nothing for MPI to find them by.
  std::string problem;
};

Launcher detect_launcher();

}  // namespace casvit::launch
