#include "tests/trainer/parallel/c10d_backend.h"

#include <ATen/ATen.h>

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <utility>
#include <vector>

namespace casvit::trainer {
namespace {

/// Done when it is returned.
class DoneWork : public c10d::Work {
 public:
  explicit DoneWork(std::vector<at::Tensor> outputs)
      : c10d::Work(-1, c10d::OpType::UNKNOWN),
        future_(c10::make_intrusive<c10::ivalue::Future>(
            c10::ListType::create(c10::TensorType::get()))) {
    future_->markCompleted(c10::IValue(std::move(outputs)));
    finish();
  }
  bool wait(std::chrono::milliseconds) override { return true; }
  c10::intrusive_ptr<c10::ivalue::Future> getFuture() override { return future_; }

 private:
  c10::intrusive_ptr<c10::ivalue::Future> future_;
};

class Backend : public c10d::Backend {
 public:
  explicit Backend(launch::Communicator& communicator)
      : c10d::Backend(communicator.rank(), communicator.size()), communicator_(communicator) {}

  const std::string getBackendName() const override { return "casvit-test"; }

  c10::intrusive_ptr<c10d::Work> allreduce(std::vector<at::Tensor>& tensors,
                                           const c10d::AllreduceOptions& options) override {
    TORCH_CHECK(options.reduceOp == c10d::ReduceOp::SUM, "sums only");
    for (const at::Tensor& tensor : tensors) sum(tensor);
    return c10::make_intrusive<DoneWork>(tensors);
  }

  c10::intrusive_ptr<c10d::Work> broadcast(std::vector<at::Tensor>& tensors,
                                           const c10d::BroadcastOptions& options) override {
    for (const at::Tensor& tensor : tensors) {
      communicator_
          .broadcast(tensor.mutable_data_ptr(), tensor.nbytes(), launch::ElementType::kUInt8,
                     static_cast<int>(options.rootRank))
          .wait();
    }
    return c10::make_intrusive<DoneWork>(tensors);
  }

  c10::intrusive_ptr<c10d::Work> barrier(const c10d::BarrierOptions&) override {
    communicator_.barrier();
    return c10::make_intrusive<DoneWork>(std::vector<at::Tensor>());
  }

 private:
  void sum(const at::Tensor& tensor) {
    const at::Tensor mine = tensor.contiguous();
    const at::Tensor all = at::empty({getSize(), mine.numel()}, mine.options());
    communicator_
        .all_gather(mine.const_data_ptr(), all.mutable_data_ptr(), mine.nbytes(),
                    launch::ElementType::kUInt8)
        .wait();
    const bool narrow = mine.element_size() == 2;
    at::Tensor total = narrow ? all[0].to(at::kFloat) : all[0].clone();
    for (int rank = 1; rank < getSize(); ++rank) total.add_(all[rank]);
    at::Tensor(tensor).copy_(total.view(tensor.sizes()));
  }

  launch::Communicator& communicator_;
};

}  // namespace

c10::intrusive_ptr<c10d::ProcessGroup> make_process_group(launch::Communicator& communicator) {
  auto group = c10::make_intrusive<c10d::ProcessGroup>(c10::make_intrusive<c10d::HashStore>(),
                                                       communicator.rank(), communicator.size());
  group->setDefaultBackend(c10d::ProcessGroup::BackendType::CUSTOM);
  group->setBackend(c10::DeviceType::CPU, c10d::ProcessGroup::BackendType::CUSTOM,
                    c10::make_intrusive<Backend>(communicator));
  return group;
}

}  // namespace casvit::trainer
