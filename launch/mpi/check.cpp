#include "launch/mpi/check.h"

#include <array>
#include <filesystem>

#include "launch/error.h"

namespace casvit::launch {

std::string mpi_error_text(int code) {
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  if (MPI_Error_string(code, text.data(), &length) != MPI_SUCCESS) {
    return "MPI error " + std::to_string(code);
  }
  return {text.data(), static_cast<std::size_t>(length)};
}

void check_mpi(int code, const char* call, const char* file, int line) {
  if (code == MPI_SUCCESS) return;
  const std::string all(call);
  throw CommunicationError(all.substr(0, all.find('(')) + ": " + mpi_error_text(code) + " (" +
                           std::filesystem::path(file).filename().string() + ":" +
                           std::to_string(line) + ")");
}

}  // namespace casvit::launch
