#include "trainer/engine/versions.h"

#include <torch/csrc/api/include/torch/version.h>

#include <fstream>
#include <sstream>
#include <string>

#include "dataio/library_versions.h"
#include "launch/mpi_version.h"

namespace casvit::trainer {
namespace {

std::string cpu_model() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.rfind("model name", 0) == 0) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown";
}

std::string cpu_features() {
  std::string features;
#if defined(__x86_64__)
  const auto add = [&](bool present, const char* name) {
    features += present ? std::string(" ") + name : "";
  };
  add(__builtin_cpu_supports("avx2"), "avx2");
  add(__builtin_cpu_supports("fma"), "fma");
  add(__builtin_cpu_supports("avx512f"), "avx512f");
  add(__builtin_cpu_supports("avx512bf16"), "avx512bf16");
#endif
  return features;
}

/// "  HDF5 1.10.8\n  libpng 1.6\n" as "HDF5 1.10.8, libpng 1.6".
std::string one_line(const std::string& lines) {
  std::istringstream stream(lines);
  std::string text;
  for (std::string line; std::getline(stream >> std::ws, line);) {
    text += (text.empty() ? "" : ", ") + line;
  }
  return text;
}

}  // namespace

std::map<std::string, std::string> versions() {
  return {{"casvit", CASVIT_VERSION},
          {"compiler", std::string("GCC ") + __VERSION__},
          {"libtorch", TORCH_VERSION},
#ifdef CASVIT_WITH_CUDA
          {"build", "cuda"},
#else
          {"build", "cpu"},
#endif
          {"mpi", launch::mpi_library_version()},
          {"dataio", one_line(dataio::library_versions())},
          {"cpu", cpu_model() + cpu_features()}};
}

}  // namespace casvit::trainer
