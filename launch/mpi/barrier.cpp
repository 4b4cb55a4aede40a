#include "launch/mpi/check.h"
#include "launch/mpi/pieces.h"

namespace casvit::launch {
namespace {

class BarrierPiece final : public Piece {
 public:
  explicit BarrierPiece(PieceContext& context) : context_(context) {}

  bool advance() override {
    if (!posted_) {
      CASVIT_CHECK_MPI(MPI_Ibarrier(context_.communicator, &request_));
      posted_ = true;
    }
    int done = 0;
    CASVIT_CHECK_MPI(MPI_Test(&request_, &done, MPI_STATUS_IGNORE));
    return done != 0;
  }

 private:
  PieceContext& context_;
  MPI_Request request_ = MPI_REQUEST_NULL;
  bool posted_ = false;
};

}  // namespace

std::unique_ptr<Piece> make_barrier_piece(PieceContext& context) {
  return std::make_unique<BarrierPiece>(context);
}

}  // namespace casvit::launch
