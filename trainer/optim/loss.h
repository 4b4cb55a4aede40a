#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace casvit::trainer {

/// Cross entropy against soft targets, mean over the samples, in float32 or wider. Equals
/// torch.nn.functional.cross_entropy with probabilities as target.
/// @param logits `[N, C]`; @param targets `[N, C]`; @param class_weights `[C]` or undefined
at::Tensor soft_target_cross_entropy(const at::Tensor& logits, const at::Tensor& targets,
                                     const at::Tensor& class_weights);

/// Binary cross entropy of every class of every picture by itself, mean over all; timm's
/// BinaryCrossEntropy. @param threshold targets above it count as 1 and others as 0; 0: as they are
at::Tensor binary_cross_entropy(const at::Tensor& logits, const at::Tensor& targets,
                                double threshold);

/// Cross entropy in which a class counts by (1 - p)^gamma, p its probability (Lin et al., "Focal
/// Loss for Dense Object Detection", arXiv:1708.02002, eq. 4, over soft targets), mean over the
/// samples.
at::Tensor focal_loss(const at::Tensor& logits, const at::Tensor& targets,
                      const at::Tensor& class_weights, double gamma);

enum class LossKind { kCrossEntropy, kBinaryCrossEntropy, kFocal };

struct LossOptions {
  LossKind kind = LossKind::kCrossEntropy;
  at::Tensor class_weights;  ///< `[C]` or undefined
  double focal_gamma = 2;
  double bce_threshold = 0;
};

/// The loss that the options name.
at::Tensor classification_loss(const at::Tensor& logits, const at::Tensor& targets,
                               const LossOptions& options);

enum class DistillationKind {
  kSoft,  ///< divergence of the probabilities at a temperature (Hinton et al., arXiv:1503.02531)
  kHard,  ///< cross entropy against the teacher's first choice (DeiT, arXiv:2012.12877)
};

struct DistillationOptions {
  DistillationKind kind = DistillationKind::kSoft;
  double alpha = 0.5;  ///< share of the teacher in the whole loss
  double tau = 1;      ///< temperature
};

/// What the student's logits `[N, C]` lose against the teacher's, as DeiT's DistillationLoss has it
/// (kSoft: the Kullback-Leibler divergence times tau^2, over N * C). No gradient reaches the
/// teacher.
at::Tensor distillation_loss(const at::Tensor& student, const at::Tensor& teacher,
                             const DistillationOptions& options);

/// "balanced" weights as scikit-learn computes them: samples / (classes * samples of the class).
std::vector<float> balanced_class_weights(const std::vector<std::uint64_t>& class_counts);

/// Weights by the inverse of the effective number of samples, (1 - beta) / (1 - beta^n) (Cui et
/// al., "Class-Balanced Loss", arXiv:1901.05555), scaled to mean 1 over the samples.
std::vector<float> effective_class_weights(const std::vector<std::uint64_t>& class_counts,
                                           double beta);

}  // namespace casvit::trainer
