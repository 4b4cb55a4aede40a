#pragma once

#include <stdexcept>
#include <string>

namespace casvit::launch {

/// Communication failed or a peer was lost. The message names operation, rank and host. Exit 5.
class CommunicationError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The world is not the one that was asked for (ranks, hosts). Exit 2.
class WorldError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace casvit::launch
