#pragma once

// mpi.h would bring in the C++ bindings that the standard dropped: we use the C interface alone.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <string>

namespace casvit::launch {

/// What an MPI error code stands for.
std::string mpi_error_text(int code);

/// @throws CommunicationError unless `code` is MPI_SUCCESS: "MPI_Isend(...): text (file:line)".
void check_mpi(int code, const char* call, const char* file, int line);

}  // namespace casvit::launch

/// The one place where MPI's return codes are looked at. Operation, rank and host are added by who
/// knows them (Pipeline, MpiThread).
#define CASVIT_CHECK_MPI(call) ::casvit::launch::check_mpi((call), #call, __FILE__, __LINE__)
