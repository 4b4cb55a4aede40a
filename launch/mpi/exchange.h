#pragma once

#include <cstddef>
#include <vector>

#include "launch/mpi/check.h"
#include "launch/mpi/pieces.h"

namespace casvit::launch {

/// Messages to and from other ranks that are waited for together. Buffers must outlive them.
class Exchange {
 public:
  /// @param context outlives it
  explicit Exchange(const PieceContext& context) : context_(context) {}

  /// Sizes are at most INT_MAX bytes; nothing is sent for zero bytes (both sides know).
  void send(const std::byte* data, std::size_t bytes, int peer, int tag);
  void receive(std::byte* data, std::size_t bytes, int peer, int tag);

  /// Makes progress; true when all messages went through.
  /// @throws CommunicationError when one failed, or had another size than was expected.
  bool test();

  /// The ranks, among all, that messages are missing from, or, where all came, that have not taken
  /// theirs.
  std::vector<int> awaited() const;

 private:
  struct Message {
    int peer;
    int bytes;
    bool incoming;
  };

  void inspect(const Message& message, const MPI_Status& status, bool failed) const;

  const PieceContext& context_;
  std::vector<MPI_Request> requests_;
  std::vector<MPI_Status> statuses_;
  std::vector<Message> messages_;
};

}  // namespace casvit::launch
