#include "trainer/optim/loss.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <numeric>

namespace casvit::trainer {
namespace {

/// In float32 or wider, whatever autocast made of the logits.
at::Tensor widened(const at::Tensor& logits) {
  return logits.to(logits.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
}

}  // namespace

at::Tensor soft_target_cross_entropy(const at::Tensor& logits, const at::Tensor& targets,
                                     const at::Tensor& class_weights) {
  at::Tensor losses = at::log_softmax(widened(logits), 1) * targets;
  if (class_weights.defined()) {
    losses = losses * class_weights;
  }
  return -losses.sum(1).mean();
}

at::Tensor binary_cross_entropy(const at::Tensor& logits, const at::Tensor& targets,
                                double threshold) {
  const at::Tensor wide = widened(logits);
  const at::Tensor wanted = threshold > 0 ? targets.gt(threshold).to(wide.scalar_type()) : targets;
  return at::binary_cross_entropy_with_logits(wide, wanted);
}

at::Tensor focal_loss(const at::Tensor& logits, const at::Tensor& targets,
                      const at::Tensor& class_weights, double gamma) {
  const at::Tensor log_p = at::log_softmax(widened(logits), 1);
  at::Tensor losses = log_p * targets;
  if (gamma > 0) {
    losses = losses * (1 - log_p.exp()).clamp_min(0).pow(gamma);
  }
  if (class_weights.defined()) {
    losses = losses * class_weights;
  }
  return -losses.sum(1).mean();
}

at::Tensor classification_loss(const at::Tensor& logits, const at::Tensor& targets,
                               const LossOptions& options) {
  switch (options.kind) {
    case LossKind::kBinaryCrossEntropy:
      return binary_cross_entropy(logits, targets, options.bce_threshold);
    case LossKind::kFocal:
      return focal_loss(logits, targets, options.class_weights, options.focal_gamma);
    case LossKind::kCrossEntropy:
      break;
  }
  return soft_target_cross_entropy(logits, targets, options.class_weights);
}

at::Tensor distillation_loss(const at::Tensor& student, const at::Tensor& teacher,
                             const DistillationOptions& options) {
  const at::Tensor of_student = widened(student);
  const at::Tensor of_teacher = widened(teacher).detach();
  if (options.kind == DistillationKind::kHard) {
    return at::cross_entropy_loss(of_student, of_teacher.argmax(1));
  }
  const at::Tensor divergence =
      at::kl_div(at::log_softmax(of_student / options.tau, 1),
                 at::log_softmax(of_teacher / options.tau, 1), at::Reduction::Sum,
                 /*log_target=*/true);
  return divergence * (options.tau * options.tau / static_cast<double>(student.numel()));
}

std::vector<float> balanced_class_weights(const std::vector<std::uint64_t>& class_counts) {
  const auto samples = static_cast<double>(
      std::accumulate(class_counts.begin(), class_counts.end(), std::uint64_t{0}));
  std::vector<float> weights;
  weights.reserve(class_counts.size());
  for (const std::uint64_t count : class_counts) {
    const double expected = samples / static_cast<double>(class_counts.size());
    weights.push_back(count == 0 ? 0.0F
                                 : static_cast<float>(expected / static_cast<double>(count)));
  }
  return weights;
}

std::vector<float> effective_class_weights(const std::vector<std::uint64_t>& class_counts,
                                           double beta) {
  std::vector<double> weights;
  double samples = 0;
  double sum = 0;  // over the samples
  for (const std::uint64_t count : class_counts) {
    const auto n = static_cast<double>(count);
    weights.push_back(count == 0 ? 0 : (1 - beta) / (1 - std::pow(beta, n)));
    samples += n;
    sum += n * weights.back();
  }
  std::vector<float> scaled;
  scaled.reserve(weights.size());
  for (const double weight : weights) {
    scaled.push_back(static_cast<float>(weight * samples / sum));
  }
  return scaled;
}

}  // namespace casvit::trainer
