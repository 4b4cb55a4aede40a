#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/model/state.h"
#include "trainer/optim/parameter_rules.h"
#include "trainer/optim/update_rules.h"
#include "trainer/parallel/partition.h"

namespace casvit::trainer {

/// What is the same for all parameters in one update.
struct UpdateRates {
  double learning_rate = 0;
  double weight_decay = 0;  ///< of parameters with two or more dimensions
};

/// Updates parameters and keeps what that needs: moments, of this rank's parameters alone where
/// they are sharded. Works parameter by parameter, so that neither arrangement nor sharding can
/// change a bit. Frozen parameters keep their moments of zero.
class Optimizer {
 public:
  /// `state` must outlive the optimizer. Moments begin at zero.
  /// @param rules as `state.parameter_entries()`; empty: all are trained alike
  Optimizer(ModelState& state, const OptimizerOptions& options, std::vector<ParameterRule> rules);

  /// One update. @param gradients flat, laid out as `state.parameters()`; @param update counts the
  /// updates made, this one included, from 1 (bias correction).
  void step(const at::Tensor& gradients, const UpdateRates& rates, std::int64_t update);

  /// Something kept for each parameter, under its name in PyTorch's optimizer.
  struct Moment {
    std::string name;  ///< "exp_avg"
    at::Tensor own;    ///< of this rank's parts: Partition's own vector
  };
  const std::vector<Moment>& moments() const { return moments_; }
  /// Replaces the moments. To be called whenever the parameters were arranged anew.
  /// @param values in the order of `moments()`, Partition's own vectors
  void adopt(const Partition& partition, const std::vector<at::Tensor>& values);

  const std::vector<ParameterRule>& rules() const { return rules_; }

 private:
  /// Parameters that are updated alike.
  struct Group {
    bool decayed = false;
    double learning_rate_scale = 1;
    std::vector<const ModelState::Entry*> entries;
    UpdatedTensors tensors;
  };
  Group& group_of(const ModelState::Entry& entry, const ParameterRule& rule);

  ModelState& state_;
  OptimizerOptions options_;
  std::vector<ParameterRule> rules_;
  std::vector<Moment> moments_;
  std::vector<Group> groups_;
};

}  // namespace casvit::trainer
