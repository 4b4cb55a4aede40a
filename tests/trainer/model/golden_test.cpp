// The model against reference values of the published PyTorch implementation: logits, loss,
// gradients and buffers, in float32 and float64. CASVIT_GOLDEN_DIR names another folder of files.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "launch/single_communicator.h"
#include "tests/trainer/model/golden_file.h"
#include "trainer/model/rcvit.h"
#include "trainer/optim/gradient_norm.h"
#include "trainer/optim/loss.h"

namespace casvit::trainer {
namespace {

struct Tolerance {
  double values;          ///< of the largest absolute logit, or of a buffer's largest value
  double gradient;        ///< of a parameter's gradient norm
  double gradient_floor;  ///< of the global gradient norm
};

Tolerance tolerance_of(at::ScalarType type) {
  return type == at::kDouble ? Tolerance{1e-9, 1e-8, 1e-12} : Tolerance{1e-4, 1e-3, 1e-6};
}

std::string golden_folder() {
  const char* folder = std::getenv("CASVIT_GOLDEN_DIR");
  return folder != nullptr && *folder != '\0' ? folder : "trainer/model/golden";
}

/// The filled model after one evaluation and one training forward and backward.
class Subject {
 public:
  Subject(const golden::File& file, at::ScalarType type)
      : model_([&] {
          RcvitOptions options = rcvit_options(file.arch);
          options.num_classes = file.num_classes;
          return Rcvit(options, type, at::kCPU);
        }()) {
    const at::NoGradGuard no_grad;
    for (const ModelState::Entry& entry : model_.state().entries()) {
      if (entry.role != TensorRole::kBatchesTracked) {
        at::Tensor tensor = entry.tensor;
        tensor.copy_(golden::fill(entry.name, tensor.sizes().vec(), type));
      }
    }
    const at::Tensor images = golden::fill("input", {file.batch, 3, file.pixels, file.pixels}, type)
                                  .contiguous(at::MemoryFormat::ChannelsLast);
    eval_logits = model_.forward(images);

    gradients = at::zeros_like(model_.state().parameters());
    statistics = at::zeros_like(model_.state().buffers());
    for (const ModelState::Entry* entry : model_.state().parameter_entries()) {
      at::Tensor parameter = entry->tensor;
      parameter.requires_grad_(true);
      parameter.mutable_grad() =
          gradients.narrow(0, entry->offset, parameter.numel()).view(parameter.sizes());
    }
    const at::AutoGradMode with_gradients(true);
    const Rcvit::Output output = model_.forward_training(images, {statistics, 0, 0, 0});
    train_logits = output.logits.detach();
    at::Tensor targets =
        at::full({file.batch, file.num_classes}, file.label_smoothing / file.num_classes,
                 at::TensorOptions().dtype(type));
    for (int i = 0; i < file.batch; ++i) {
      targets[i][file.targets[static_cast<std::size_t>(i)]] += 1 - file.label_smoothing;
    }
    const at::Tensor loss_tensor = soft_target_cross_entropy(output.logits, targets, {});
    loss = loss_tensor.item<double>();
    loss_tensor.backward();
  }

  const ModelState& state() const { return model_.state(); }

  at::Tensor gradient(const std::string& name) const {
    const ModelState::Entry& entry = model_.state().entry(name);
    return gradients.narrow(0, entry.offset, entry.tensor.numel()).to(at::kDouble);
  }

  /// A running statistic after one update with momentum 0.1.
  at::Tensor buffer(const std::string& name) const {
    const ModelState::Entry& entry = model_.state().entry(name);
    const at::Tensor now = statistics.narrow(0, entry.offset, entry.tensor.numel());
    return entry.tensor.lerp(now, 0.1).to(at::kDouble);
  }

  at::Tensor eval_logits, train_logits, gradients, statistics;
  double loss = 0;

 private:
  Rcvit model_;
};

double largest(const std::vector<std::vector<double>>& rows) {
  double result = 0;
  for (const auto& row : rows) {
    for (const double value : row) result = std::max(result, std::abs(value));
  }
  return result;
}

void expect_logits(const at::Tensor& actual, const std::vector<std::vector<double>>& expected,
                   double tolerance, const std::string& what) {
  ASSERT_EQ(actual.size(0), static_cast<std::int64_t>(expected.size())) << what;
  const double bound = tolerance * largest(expected);
  const at::Tensor values = actual.to(at::kDouble).contiguous();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(actual.size(1), static_cast<std::int64_t>(expected[i].size())) << what;
    const auto* row = values.const_data_ptr<double>() + i * expected[i].size();
    for (std::size_t c = 0; c < expected[i].size(); ++c) {
      ASSERT_NEAR(row[c], expected[i][c], bound) << what << " sample " << i << " class " << c;
    }
  }
}

class Golden : public testing::TestWithParam<at::ScalarType> {};

TEST_P(Golden, StateDictHasTheOfficialKeysAndShapes) {
  for (const golden::File& file : golden::read_folder(golden_folder())) {
    SCOPED_TRACE(file.path);
    const Subject subject(file, GetParam());
    std::vector<std::string> names;
    for (const ModelState::Entry& entry : subject.state().entries()) {
      names.push_back(entry.name);
      if (entry.is_parameter()) {
        ASSERT_EQ(entry.tensor.sizes().vec(), file.gradients.at(entry.name).shape) << entry.name;
      }
    }
    EXPECT_EQ(names, file.state_dict_keys);
    EXPECT_EQ(subject.state().parameter_count(), file.n_parameters);
  }
}

TEST_P(Golden, LogitsLossGradientsAndBuffersEqualTheReference) {
  const Tolerance tolerance = tolerance_of(GetParam());
  for (const golden::File& file : golden::read_folder(golden_folder())) {
    SCOPED_TRACE(file.path);
    const Subject subject(file, GetParam());
    expect_logits(subject.eval_logits, file.eval_logits, tolerance.values, "evaluation");
    expect_logits(subject.train_logits, file.train_logits, tolerance.values, "training");
    EXPECT_NEAR(subject.loss, file.train_loss, tolerance.values * largest(file.train_logits));
    launch::SingleCommunicator alone;
    EXPECT_NEAR(global_gradient_norm(subject.state(), Partition::unsharded(subject.state()),
                                     subject.gradients, alone),
                file.grad_norm, tolerance.gradient * file.grad_norm);

    for (const auto& [name, expected] : file.gradients) {
      const at::Tensor gradient = subject.gradient(name);
      const double bound =
          tolerance.gradient * expected.l2 + tolerance.gradient_floor * file.grad_norm;
      EXPECT_NEAR(gradient.norm().item<double>(), expected.l2, bound) << name;
      for (std::size_t i = 0; i < expected.first.size(); ++i) {
        EXPECT_NEAR(gradient[static_cast<std::int64_t>(i)].item<double>(), expected.first[i], bound)
            << name << " " << i;
      }
    }
    for (const auto& [name, expected] : file.buffers) {
      const at::Tensor buffer = subject.buffer(name);
      const double bound = tolerance.values * buffer.abs().max().item<double>();
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(buffer[static_cast<std::int64_t>(i)].item<double>(), expected[i], bound)
            << name << " " << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, Golden, testing::Values(at::kFloat, at::kDouble),
                         [](const auto& info) {
                           return info.param == at::kDouble ? "float64" : "float32";
                         });

}  // namespace
}  // namespace casvit::trainer
