#pragma once

#include <string>

namespace casvit::launch {

/// The MPI library's own words, shortened: "Open MPI v4.1.4". May be called at any time.
std::string mpi_library_version();

}  // namespace casvit::launch
