#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "launch/element.h"
#include "launch/mpi/pieces.h"
#include "launch/operation.h"
#include "launch/pipeline.h"
#include "tools/scale/schedule/step_schedule.h"

namespace casvit::scale {

/// The collectives of MpiCommunicator: the very code of `launch` (Pipeline, the pieces), with
/// SimGrid's MPI below it. What the thread that owns MPI does in the product, the simulated rank
/// does here: it looks whether something has moved, and pauses in between (launch/backoff.h).
class HostExchange {
 public:
  HostExchange(int rank, int ranks);

  /// Issues a transfer. @param buffer of its bytes, which are reduced as its elements are
  void issue(const Transfer& transfer, std::byte* buffer);
  /// Moves what was issued until the simulated time has come.
  void run_until(double seconds);
  /// Until all is complete. @throws launch::CommunicationError
  void run();

 private:
  bool step();

  launch::PieceContext context_;
  launch::Pipeline pipeline_;
  std::vector<std::shared_ptr<launch::Operation>> issued_;
  double idle_since_ = -1;
};

}  // namespace casvit::scale
