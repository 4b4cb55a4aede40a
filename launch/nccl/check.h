#pragma once

#include <cuda_runtime.h>
#include <nccl.h>

#include <string>

namespace casvit::launch {

/// @throws CommunicationError unless `code` is cudaSuccess: "cudaEventRecord: text (file:line)".
void check_cuda(cudaError_t code, const char* call, const char* file, int line);

/// The same for NCCL; ncclInProgress is no error.
void check_nccl(ncclResult_t code, const char* call, const char* file, int line);

/// What an error code of NCCL stands for, with what the library says about the last one.
std::string nccl_error_text(ncclResult_t code, ncclComm_t communicator);

}  // namespace casvit::launch

/// The one place where return codes of CUDA and NCCL are looked at.
#define CASVIT_CHECK_CUDA(call) ::casvit::launch::check_cuda((call), #call, __FILE__, __LINE__)
#define CASVIT_CHECK_NCCL(call) ::casvit::launch::check_nccl((call), #call, __FILE__, __LINE__)
