#pragma once

#include <string>

namespace casvit::dataio {

/// The versions of the libraries that read and decode, one a line ("  HDF5 1.10.8\n..."), for
/// `--version`.
std::string library_versions();

}  // namespace casvit::dataio
