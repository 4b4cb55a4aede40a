#pragma once

#include <string>

namespace casvit::dataio {

/// The HDF5 library's version, e.g. "1.10.8".
std::string hdf5_version();

}  // namespace casvit::dataio
