#include "launch/nccl/check.h"

#include <filesystem>

#include "launch/error.h"

namespace casvit::launch {
namespace {

std::string place(const char* call, const std::string& text, const char* file, int line) {
  const std::string all(call);
  return all.substr(0, all.find('(')) + ": " + text + " (" +
         std::filesystem::path(file).filename().string() + ":" + std::to_string(line) + ")";
}

}  // namespace

void check_cuda(cudaError_t code, const char* call, const char* file, int line) {
  if (code == cudaSuccess) return;
  throw CommunicationError(place(call, cudaGetErrorString(code), file, line));
}

void check_nccl(ncclResult_t code, const char* call, const char* file, int line) {
  if (code == ncclSuccess || code == ncclInProgress) return;
  throw CommunicationError(place(call, nccl_error_text(code, nullptr), file, line));
}

std::string nccl_error_text(ncclResult_t code, ncclComm_t communicator) {
  std::string text = ncclGetErrorString(code);
  const char* last = ncclGetLastError(communicator);
  if (last != nullptr && *last != '\0') text += std::string(" (") + last + ")";
  return text;
}

}  // namespace casvit::launch
