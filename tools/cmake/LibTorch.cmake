# casvit::torch from CASVIT_LIBTORCH: any LibTorch >= 2.6 folder with include/ and lib/ (a libtorch
# archive, or the torch/ folder of a wheel). find_package(Torch) is not used: it insists on a full
# CUDA installation even for a CPU program.

if(NOT CASVIT_LIBTORCH)
  message(FATAL_ERROR "LibTorch is missing. Run tools/build, which fetches the pinned version, or set "
                      "CASVIT_LIBTORCH to the folder that holds its include/ and lib/.")
endif()
if(NOT EXISTS "${CASVIT_LIBTORCH}/include/ATen/ATen.h" OR NOT EXISTS "${CASVIT_LIBTORCH}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "CASVIT_LIBTORCH=${CASVIT_LIBTORCH} holds no LibTorch: expected "
                      "include/ATen/ATen.h and lib/libtorch_cpu.so below it.")
endif()

file(STRINGS "${CASVIT_LIBTORCH}/include/torch/headeronly/version.h" _torch_version_lines
     REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
if(NOT _torch_version_lines)
  file(STRINGS "${CASVIT_LIBTORCH}/include/torch/csrc/api/include/torch/version.h" _torch_version_lines
       REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
endif()
string(REGEX REPLACE "[^0-9;]" "" _torch_version "${_torch_version_lines}")
list(JOIN _torch_version "." CASVIT_LIBTORCH_VERSION)
if(CASVIT_LIBTORCH_VERSION VERSION_LESS 2.6)
  message(FATAL_ERROR "LibTorch ${CASVIT_LIBTORCH_VERSION} in ${CASVIT_LIBTORCH} is older than 2.6")
endif()
message(STATUS "LibTorch ${CASVIT_LIBTORCH_VERSION} in ${CASVIT_LIBTORCH}")

add_library(casvit_torch INTERFACE)
add_library(casvit::torch ALIAS casvit_torch)
target_include_directories(casvit_torch SYSTEM INTERFACE
  "${CASVIT_LIBTORCH}/include" "${CASVIT_LIBTORCH}/include/torch/csrc/api/include")
target_link_libraries(casvit_torch INTERFACE
  "${CASVIT_LIBTORCH}/lib/libtorch_cpu.so" "${CASVIT_LIBTORCH}/lib/libc10.so")
# The wheel's libraries name CUDA libraries that a CPU program never loads.
target_link_options(casvit_torch INTERFACE -Wl,--allow-shlib-undefined)
if(CASVIT_WITH_CUDA)
  # Headers of the CUDA runtime: the installed toolkit's, or those of the nvidia-cuda-runtime wheel
  # that lies beside the wheel's torch/ folder.
  find_path(CASVIT_CUDA_INCLUDE cuda_runtime_api.h REQUIRED
    HINTS "$ENV{CUDA_HOME}/include" /usr/local/cuda/include "${CASVIT_LIBTORCH}/../nvidia/cu13/include")
  find_library(CASVIT_CUDART NAMES cudart libcudart.so.13 REQUIRED
    HINTS "$ENV{CUDA_HOME}/lib64" /usr/local/cuda/lib64 "${CASVIT_LIBTORCH}/../nvidia/cu13/lib")
  target_include_directories(casvit_torch SYSTEM INTERFACE "${CASVIT_CUDA_INCLUDE}")
  target_link_libraries(casvit_torch INTERFACE "${CASVIT_CUDART}")
  target_compile_definitions(casvit_torch INTERFACE CASVIT_WITH_CUDA=1)
  target_link_libraries(casvit_torch INTERFACE -Wl,--no-as-needed
    "${CASVIT_LIBTORCH}/lib/libtorch_cuda.so" "${CASVIT_LIBTORCH}/lib/libc10_cuda.so" -Wl,--as-needed)
endif()
