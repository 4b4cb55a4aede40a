#pragma once

#include <string>
#include <vector>

#include "trainer/model/rcvit.h"
#include "trainer/model/state.h"

namespace casvit::trainer {

/// How one parameter is treated, apart from what all have in common.
struct ParameterRule {
  bool frozen = false;             ///< stays as it is
  double learning_rate_scale = 1;  ///< learning rate over the schedule's
};

/// Depth of a parameter in the model, for layer decay: 0 for the stem, 1 for the first block, one
/// more with each block of any stage, one more than the last block's for the final norm and the
/// heads. The embedding between two stages counts with the block after it.
/// @throws std::invalid_argument for a name that is none of the model's
int layer_of(const std::string& parameter, const RcvitOptions& model);

struct RuleOptions {
  /// By which learning rates fall from layer to layer towards the stem (Clark et al., "ELECTRA",
  /// arXiv:2003.10555, as BEiT and timm apply it).
  double layer_decay = 1;
  /// Patterns of names with `*`, `?` and `[...]`; the last that fits decides, and one that begins
  /// with `!` says "trained after all".
  std::vector<std::string> freeze;
};

/// The rules of all parameters, in the order of `ModelState::parameter_entries()`.
/// @throws ConfigError for a pattern that fits no parameter, and where nothing is left to train
std::vector<ParameterRule> parameter_rules(const ModelState& state, const RcvitOptions& model,
                                           const RuleOptions& options);

}  // namespace casvit::trainer
