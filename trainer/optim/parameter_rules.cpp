#include "trainer/optim/parameter_rules.h"

#include <fnmatch.h>

#include <cmath>
#include <numeric>
#include <stdexcept>

#include "trainer/error.h"

namespace casvit::trainer {
namespace {

constexpr std::string_view kNetwork = "network.";

/// The number that `text` begins with, which is taken off it, and the dot after it.
int take_number(std::string_view& text) {
  int number = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    number = 10 * number + (text[0] - '0');
    text.remove_prefix(1);
  }
  if (text.starts_with('.')) {
    text.remove_prefix(1);
  }
  return number;
}

bool fits(std::string_view pattern, const std::string& name) {
  return ::fnmatch(std::string(pattern).c_str(), name.c_str(), 0) == 0;
}

/// Applies one pattern to all rules.
void apply(const std::string& given, const std::vector<const ModelState::Entry*>& entries,
           std::vector<ParameterRule>& rules) {
  const bool frozen = !given.starts_with('!');
  const std::string_view pattern = std::string_view(given).substr(frozen ? 0 : 1);
  bool used = false;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (fits(pattern, entries[i]->name)) {
      rules[i].frozen = frozen;
      used = true;
    }
  }
  if (!used) {
    throw ConfigError("train.freeze: no parameter fits \"" + given +
                      "\"; names look like patch_embed.0.weight, network.0.1.mlp.fc1.weight, "
                      "norm.bias, head.weight");
  }
}

}  // namespace

int layer_of(const std::string& parameter, const RcvitOptions& model) {
  if (parameter.starts_with("patch_embed.")) {
    return 0;
  }
  const int blocks = std::accumulate(model.layers.begin(), model.layers.end(), 0);
  if (!parameter.starts_with(kNetwork)) {
    if (parameter.starts_with("norm") || parameter.starts_with("head.") ||
        parameter.starts_with("dist_head.")) {
      return blocks + 1;
    }
    throw std::invalid_argument("no layer has a parameter " + parameter);
  }
  std::string_view rest = std::string_view(parameter).substr(kNetwork.size());
  const int place = take_number(rest);  // stages are at even places, embeddings between them
  const auto stage = static_cast<std::size_t>((place + 1) / 2);
  if (stage >= model.layers.size()) {
    throw std::invalid_argument("no layer has a parameter " + parameter);
  }
  const auto* const first = model.layers.begin();
  const int before = std::accumulate(first, first + static_cast<std::ptrdiff_t>(stage), 0);
  return 1 + before + (place % 2 == 0 ? take_number(rest) : 0);
}

std::vector<ParameterRule> parameter_rules(const ModelState& state, const RcvitOptions& model,
                                           const RuleOptions& options) {
  const std::vector<const ModelState::Entry*> entries = state.parameter_entries();
  std::vector<ParameterRule> rules(entries.size());
  const int last = std::accumulate(model.layers.begin(), model.layers.end(), 0) + 1;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    rules[i].learning_rate_scale =
        std::pow(options.layer_decay, last - layer_of(entries[i]->name, model));
  }
  for (const std::string& pattern : options.freeze) {
    apply(pattern, entries, rules);
  }
  bool any_trained = false;
  for (const ParameterRule& rule : rules) {
    any_trained = any_trained || !rule.frozen;
  }
  if (!any_trained) {
    throw ConfigError(
        "train.freeze: nothing is left to train; let at least the head: [\"*\", "
        "\"!head.*\"]");
  }
  return rules;
}

}  // namespace casvit::trainer
