#pragma once

#include <cstdint>

#include "dataio/container/hdf5_format/file_blocks.h"

namespace casvit::dataio::hdf5_format {

/// Reads the superblock (HDF5 File Format Specification, II.A; versions 0, 1, 2 and 3).
/// @returns the address of the root group's object header.
/// @throws InputError: no HDF5 file, cut short, or made in a way that containers are not (user
///         block, several files, other sizes of addresses, not closed by its writer).
std::uint64_t read_root_address(FileBlocks& file);

}  // namespace casvit::dataio::hdf5_format
