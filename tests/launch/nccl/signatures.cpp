// Prints the types of the functions and the values of the constants that NcclCommunicator uses, as
// the headers on the include path have them. Compiled once with the headers of the fakes and once
// with the real ones; the outputs must agree.

#include <cuda_runtime.h>
#include <nccl.h>

#include <cstdio>
#include <regex>
#include <string>
#include <typeinfo>

namespace {

/// Headers put their version into the name of ncclConfig_t's structure.
std::string name_of(const char* mangled) {
  return std::regex_replace(mangled, std::regex("[0-9]+ncclConfig_[a-z0-9]+"), "ncclConfig");
}

}  // namespace

#define FUNCTION(function) \
  std::printf(#function " %s\n", name_of(typeid(decltype(function)).name()).c_str())
#define OVERLOAD(function, type) \
  static_assert(sizeof(static_cast<type>(function)) == sizeof(void*), "has this type")
#define CONSTANT(name) std::printf(#name " %lld\n", static_cast<long long>(name))

int main() {
  FUNCTION(cudaGetDeviceCount);
  FUNCTION(cudaSetDevice);
  FUNCTION(cudaGetErrorString);
  FUNCTION(cudaMemcpyAsync);
  FUNCTION(cudaStreamCreateWithFlags);
  FUNCTION(cudaStreamDestroy);
  FUNCTION(cudaStreamWaitEvent);
  FUNCTION(cudaEventDestroy);
  FUNCTION(cudaEventQuery);
  FUNCTION(cudaFree);
  FUNCTION(cudaMemGetInfo);
  // CUDA's header overloads these for C++: that there is the one that is used is what counts.
  OVERLOAD(cudaMalloc, cudaError_t(*)(void**, std::size_t));
  OVERLOAD(cudaEventCreateWithFlags, cudaError_t(*)(cudaEvent_t*, unsigned int));
  OVERLOAD(cudaEventRecord, cudaError_t(*)(cudaEvent_t, cudaStream_t));
  OVERLOAD(cudaGetDeviceProperties, cudaError_t(*)(struct cudaDeviceProp*, int));
  FUNCTION(ncclGetUniqueId);
  FUNCTION(ncclCommInitRankConfig);
  FUNCTION(ncclCommSplit);
  FUNCTION(ncclCommFinalize);
  FUNCTION(ncclCommDestroy);
  FUNCTION(ncclCommAbort);
  FUNCTION(ncclCommGetAsyncError);
  FUNCTION(ncclGetErrorString);
  FUNCTION(ncclGetLastError);
  FUNCTION(ncclAllReduce);
  FUNCTION(ncclReduceScatter);
  FUNCTION(ncclAllGather);
  FUNCTION(ncclBroadcast);
  FUNCTION(ncclSend);
  FUNCTION(ncclRecv);
  FUNCTION(ncclGroupStart);
  FUNCTION(ncclGroupEnd);

  CONSTANT(cudaSuccess);
  CONSTANT(cudaErrorInvalidValue);
  CONSTANT(cudaErrorMemoryAllocation);
  CONSTANT(cudaErrorInvalidDevice);
  CONSTANT(cudaErrorNotReady);
  CONSTANT(cudaErrorLaunchFailure);
  CONSTANT(cudaMemcpyDeviceToDevice);
  CONSTANT(cudaStreamNonBlocking);
  CONSTANT(cudaEventDisableTiming);
  CONSTANT(sizeof(cudaUUID_t));
  CONSTANT(sizeof(ncclUniqueId));
  CONSTANT(ncclSuccess);
  CONSTANT(ncclUnhandledCudaError);
  CONSTANT(ncclSystemError);
  CONSTANT(ncclInternalError);
  CONSTANT(ncclInvalidArgument);
  CONSTANT(ncclInvalidUsage);
  CONSTANT(ncclRemoteError);
  CONSTANT(ncclInProgress);
  CONSTANT(ncclSum);
  CONSTANT(ncclMax);
  CONSTANT(ncclUint8);
  CONSTANT(ncclInt64);
  CONSTANT(ncclFloat16);
  CONSTANT(ncclFloat32);
  CONSTANT(ncclFloat64);
  CONSTANT(ncclBfloat16);
  const ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  CONSTANT(config.magic);
  CONSTANT(config.blocking);
  return 0;
}
