#pragma once

#include <simgrid/s4u.hpp>
#include <string>
#include <vector>

namespace casvit::scale {

/// A cluster: nodes of several ranks around a switch (NVLink, or the memory of a host), joined by a
/// fat tree of two levels with full bisection. Each node has one duplex link to the tree.
struct PlatformOptions {
  int ranks = 8;
  int ranks_per_node = 8;
  double node_bytes_per_second = 50e9;     ///< the node's link to the tree, each way
  double network_latency_seconds = 10e-6;  ///< of a message from node to node
  double local_bytes_per_second = 200e9;   ///< of a rank within its node, each way
  double local_latency_seconds = 2e-6;     ///< of a message within a node
  int nodes_per_leaf = 16;                 ///< nodes below one switch of the first level
};

/// Makes the cluster; the engine must have been made with
/// `ideal_network_arguments`.
/// @returns one host a rank, nodes filled in order
std::vector<simgrid::s4u::Host*> make_platform(const PlatformOptions& options);

/// Arguments for the engine: a network without the overheads of a particular TCP or MPI, in which a
/// message takes the latency of its route and then its bytes over its share of the slowest link.
std::vector<std::string> ideal_network_arguments();

}  // namespace casvit::scale
