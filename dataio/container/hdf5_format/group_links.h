#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dataio/container/hdf5_format/object_header.h"

namespace casvit::dataio::hdf5_format {

struct GroupLink {
  bool hard = false;          ///< to an object of this file; otherwise by name, perhaps elsewhere
  std::uint64_t address = 0;  ///< of the object's header, where hard
};

/// Finds a member of a group: by its symbol table (B-tree and local heap), or among its compact
/// link messages. @returns nullopt where the group has none of this name.
/// @throws InputError for what is no group, is damaged, or stores its links densely.
std::optional<GroupLink> find_link(FileBlocks& file, const ObjectHeader& group,
                                   const std::string& name);

}  // namespace casvit::dataio::hdf5_format
