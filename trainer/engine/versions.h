#pragma once

#include <map>
#include <string>

namespace casvit::trainer {

/// Everything that a bug report needs: casvit, compiler, LibTorch, MPI, HDF5, CPU and its features.
std::map<std::string, std::string> versions();

}  // namespace casvit::trainer
