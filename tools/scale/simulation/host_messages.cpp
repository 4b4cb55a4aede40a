// launch::Exchange for the simulation. SMPI's MPI_Testall forgets the status of a message that an
// earlier call, in which others were still under way, found complete (SimGrid 3.32); so each
// message is tested by itself here, until it is.

#include <string>

#include "launch/error.h"
#include "launch/mpi/exchange.h"

namespace casvit::launch {

void Exchange::send(const std::byte* data, std::size_t bytes, int peer, int tag) {
  if (bytes == 0) return;
  const int length = static_cast<int>(bytes);
  requests_.push_back(MPI_REQUEST_NULL);
  messages_.push_back({peer, length, false});
  CASVIT_CHECK_MPI(
      MPI_Isend(data, length, MPI_BYTE, peer, tag, context_.communicator, &requests_.back()));
}

void Exchange::receive(std::byte* data, std::size_t bytes, int peer, int tag) {
  if (bytes == 0) return;
  const int length = static_cast<int>(bytes);
  requests_.push_back(MPI_REQUEST_NULL);
  messages_.push_back({peer, length, true});
  CASVIT_CHECK_MPI(
      MPI_Irecv(data, length, MPI_BYTE, peer, tag, context_.communicator, &requests_.back()));
}

bool Exchange::test() {
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    if (requests_[i] == MPI_REQUEST_NULL) continue;
    int done = 0;
    MPI_Status status;
    CASVIT_CHECK_MPI(MPI_Test(&requests_[i], &done, &status));
    if (done == 0) return false;
    inspect(messages_[i], status, false);
  }
  requests_.clear();
  messages_.clear();
  return true;
}

std::vector<int> Exchange::awaited() const {
  std::vector<int> peers;
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    if (requests_[i] != MPI_REQUEST_NULL) peers.push_back(messages_[i].peer);
  }
  return peers;
}

void Exchange::inspect(const Message& message, const MPI_Status& status, bool) const {
  if (!message.incoming) return;
  int received = 0;
  CASVIT_CHECK_MPI(MPI_Get_count(&status, MPI_BYTE, &received));
  if (received != message.bytes) {
    throw CommunicationError(std::to_string(message.bytes) + " bytes from rank " +
                             std::to_string(message.peer) + " were expected and " +
                             std::to_string(received) + " came");
  }
}

}  // namespace casvit::launch
