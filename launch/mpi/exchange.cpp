#include "launch/mpi/exchange.h"

#include <string>

#include "launch/error.h"

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
  if (requests_.empty()) return true;
  statuses_.resize(requests_.size());
  int done = 0;
  const int code =
      MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done, statuses_.data());
  const bool failed = code == MPI_ERR_IN_STATUS;
  if (!failed) check_mpi(code, "MPI_Testall", __FILE__, __LINE__);
  if (done == 0 && !failed) return false;
  for (std::size_t i = 0; i < messages_.size(); ++i) inspect(messages_[i], statuses_[i], failed);
  requests_.clear();
  messages_.clear();
  return true;
}

std::vector<int> Exchange::awaited() const {
  std::vector<int> senders;
  std::vector<int> receivers;
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    int done = 0;
    CASVIT_CHECK_MPI(MPI_Request_get_status(requests_[i], &done, MPI_STATUS_IGNORE));
    if (done != 0) continue;
    (messages_[i].incoming ? senders : receivers).push_back(context_.world_rank(messages_[i].peer));
  }
  return senders.empty() ? receivers : senders;
}

void Exchange::inspect(const Message& message, const MPI_Status& status, bool failed) const {
  const std::string which = std::to_string(message.bytes) + " bytes " +
                            (message.incoming ? "from" : "to") + " rank " +
                            std::to_string(context_.world_rank(message.peer));
  // The field is set only when MPI_Testall said that some message failed.
  if (failed && status.MPI_ERROR != MPI_SUCCESS && status.MPI_ERROR != MPI_ERR_PENDING) {
    throw CommunicationError(which + ": " + mpi_error_text(status.MPI_ERROR) +
                             " (where sizes differ, do all ranks call the same collectives, in the "
                             "same order, with the same counts?)");
  }
  if (failed || !message.incoming) return;
  int received = 0;
  CASVIT_CHECK_MPI(MPI_Get_count(&status, MPI_BYTE, &received));
  if (received != message.bytes) {
    throw CommunicationError(which + " were expected and " + std::to_string(received) +
                             " came: do all ranks call the same collectives, in the same order, "
                             "with the same counts?");
  }
}

}  // namespace casvit::launch
