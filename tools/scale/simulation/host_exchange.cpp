#include "tools/scale/simulation/host_exchange.h"

#include <algorithm>
#include <limits>
#include <simgrid/s4u.hpp>
#include <stdexcept>

namespace casvit::scale {
namespace {

namespace sg = simgrid::s4u;

// As launch/world.cpp has it.
constexpr std::size_t kPieceBytes = std::size_t{4} << 20;
constexpr std::size_t kMessageBytes = std::size_t{64} << 10;

launch::ElementType element_of(std::int64_t bytes) {
  switch (bytes) {
    case 2:
      return launch::ElementType::kBFloat16;
    case 4:
      return launch::ElementType::kFloat32;
    case 8:
      return launch::ElementType::kFloat64;
    default:
      throw std::invalid_argument("elements of " + std::to_string(bytes) + " bytes");
  }
}

struct Cut {
  std::size_t begin, length;
};

/// Things in cuts of `most`, the last one shorter, as MpiCommunicator cuts an operation.
std::vector<Cut> cuts_of(std::size_t total, std::size_t most) {
  std::vector<Cut> cuts;
  for (std::size_t begin = 0; begin < total; begin += most) {
    cuts.push_back({begin, std::min(most, total - begin)});
  }
  return cuts;
}

/// How long the thread that owns MPI pauses when nothing has moved for `idle` seconds
/// (launch/backoff.h; a yield takes about a microsecond).
double pause_after(double idle) {
  constexpr double kYieldFor = 100e-6;
  constexpr double kShortSleepFor = 5000e-6;
  if (idle < kYieldFor) return 1e-6;
  return idle < kShortSleepFor ? 30e-6 : 200e-6;
}

}  // namespace

HostExchange::HostExchange(int rank, int ranks) : pipeline_("rank " + std::to_string(rank)) {
  context_.communicator = MPI_COMM_WORLD;
  context_.rank = rank;
  context_.size = ranks;
}

void HostExchange::issue(const Transfer& transfer, std::byte* buffer) {
  const auto ranks = static_cast<std::size_t>(context_.size);
  const auto width = static_cast<std::size_t>(transfer.element_bytes);
  const auto count = static_cast<std::size_t>(transfer.bytes) / width;
  const launch::ElementType type = element_of(transfer.element_bytes);
  const std::size_t piece = std::max(kPieceBytes, ranks * kMessageBytes);
  const std::size_t part = count / ranks;  // of one rank
  const std::size_t stride = part * width;
  std::byte* const own = buffer + static_cast<std::size_t>(context_.rank) * stride;
  std::vector<Cut> cuts;
  launch::Operation::MakePiece make;
  switch (transfer.kind) {
    case Transfer::Kind::kAllReduce:
      cuts = cuts_of(count, piece / width);
      make = [this, cuts, buffer, width, type](std::size_t index, std::size_t sequence) {
        return launch::make_all_reduce_piece(context_, sequence, buffer + cuts[index].begin * width,
                                             cuts[index].length, type, launch::ReduceOp::kSum);
      };
      break;
    case Transfer::Kind::kReduceScatter:
      cuts = cuts_of(part, piece / width / ranks);
      make = [this, cuts, buffer, own, stride, width, type](std::size_t index,
                                                            std::size_t sequence) {
        const std::size_t offset = cuts[index].begin * width;
        return launch::make_reduce_scatter_piece(context_, sequence, buffer + offset, stride,
                                                 own + offset, cuts[index].length, type,
                                                 launch::ReduceOp::kSum);
      };
      break;
    case Transfer::Kind::kAllGather:
      cuts = cuts_of(stride, piece / ranks);
      make = [this, cuts, buffer, own, stride](std::size_t index, std::size_t sequence) {
        return launch::make_all_gather_piece(context_, sequence, own + cuts[index].begin,
                                             buffer + cuts[index].begin, stride,
                                             cuts[index].length);
      };
      break;
  }
  issued_.push_back(std::make_shared<launch::Operation>("exchange", cuts.size(), std::move(make)));
  pipeline_.add(issued_.back());
  idle_since_ = -1;  // new work wakes the thread
}

bool HostExchange::step() {
  if (!pipeline_.advance()) return false;
  idle_since_ = -1;
  return true;
}

void HostExchange::run_until(double seconds) {
  while (!pipeline_.idle()) {
    const double now = sg::Engine::get_clock();
    if (now >= seconds) return;
    if (step()) continue;
    if (idle_since_ < 0) idle_since_ = now;
    sg::this_actor::sleep_for(std::min(pause_after(now - idle_since_), seconds - now));
  }
  if (seconds < std::numeric_limits<double>::infinity()) sg::this_actor::sleep_until(seconds);
}

void HostExchange::run() {
  run_until(std::numeric_limits<double>::infinity());
  for (const auto& operation : issued_) operation->wait();  // all are over; some may have failed
  issued_.clear();
}

}  // namespace casvit::scale
