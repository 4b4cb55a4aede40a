#pragma once

#include <ATen/core/Tensor.h>

#include "launch/communicator.h"

namespace casvit::trainer {

/// Batch norm over the pictures of all ranks, differentiable: every rank normalises with the mean
/// and variance of the whole global batch. One exchange in the forward pass, one in backward; both
/// are waited for. Every rank must have a batch of the same shape. The gradients of `weight` and
/// `bias` are this rank's part: the reducer sums them as all others.
///
/// Note: order of exchange. Backward visits the layers of one model in one order on every rank, and
/// the reducer's buckets follow from it, so that the exchanges of both are issued alike everywhere.
///
/// @param x `[N, C, H, W]`, any float type; `weight`, `bias` `[C]` float32
/// @param mean_sum, variance_sum `[C]` receive, added, the global mean and unbiased variance
/// @param communicator of host memory or of x's device
at::Tensor synchronized_batch_norm(const at::Tensor& x, const at::Tensor& weight,
                                   const at::Tensor& bias, at::Tensor mean_sum,
                                   at::Tensor variance_sum, launch::Communicator& communicator);

}  // namespace casvit::trainer
