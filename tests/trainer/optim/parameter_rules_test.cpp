// Which parameters are trained, and how fast.

#include "trainer/optim/parameter_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using ::testing::HasSubstr;

/// Rules of rcvit_xs by name.
std::map<std::string, ParameterRule> rules_of(const RuleOptions& options) {
  RcvitOptions model = rcvit_options("rcvit_xs");
  model.num_classes = 3;
  model.distillation = true;
  const Rcvit rcvit(model, at::kFloat, at::kCPU);
  const std::vector<ParameterRule> rules = parameter_rules(rcvit.state(), model, options);
  const auto entries = rcvit.state().parameter_entries();
  std::map<std::string, ParameterRule> named;
  for (std::size_t i = 0; i < entries.size(); ++i) named[entries[i]->name] = rules[i];
  return named;
}

TEST(ParameterRules, LayersFollowTheModelFromStemToHead) {
  const RcvitOptions model = rcvit_options("rcvit_xs");  // 2, 2, 4, 2 blocks
  EXPECT_EQ(layer_of("patch_embed.4.bias", model), 0);
  EXPECT_EQ(layer_of("network.0.0.attn.qkv.weight", model), 1);
  EXPECT_EQ(layer_of("network.0.1.mlp.fc1.weight", model), 2);
  EXPECT_EQ(layer_of("network.1.proj.weight", model), 3) << "with the block after it";
  EXPECT_EQ(layer_of("network.2.0.norm1.weight", model), 3);
  EXPECT_EQ(layer_of("network.4.3.norm1.weight", model), 8);
  EXPECT_EQ(layer_of("network.5.norm.bias", model), 9);
  EXPECT_EQ(layer_of("network.6.1.norm2.bias", model), 10);
  EXPECT_EQ(layer_of("norm.weight", model), 11);
  EXPECT_EQ(layer_of("head.weight", model), 11);
  EXPECT_EQ(layer_of("dist_head.bias", model), 11);
  EXPECT_THROW(layer_of("network.7.proj.weight", model), std::invalid_argument);
  EXPECT_THROW(layer_of("neck.weight", model), std::invalid_argument);
}

TEST(ParameterRules, RatesFallTowardsTheStem) {
  const auto rules = rules_of({0.7, {}});
  EXPECT_DOUBLE_EQ(rules.at("head.weight").learning_rate_scale, 1);
  EXPECT_DOUBLE_EQ(rules.at("network.6.1.mlp.fc2.bias").learning_rate_scale, 0.7);
  EXPECT_DOUBLE_EQ(rules.at("patch_embed.0.weight").learning_rate_scale, std::pow(0.7, 11));
}

TEST(ParameterRules, TheLastPatternThatFitsDecides) {
  const auto rules = rules_of({1, {"*", "!head.*", "!*.norm?.*", "network.0.*"}});
  EXPECT_TRUE(rules.at("patch_embed.0.weight").frozen);
  EXPECT_FALSE(rules.at("head.bias").frozen);
  EXPECT_TRUE(rules.at("dist_head.bias").frozen);
  EXPECT_FALSE(rules.at("network.2.0.norm2.weight").frozen);
  EXPECT_TRUE(rules.at("network.0.0.norm2.weight").frozen);
}

std::string refusal(const RuleOptions& options) {
  try {
    static_cast<void>(rules_of(options));
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(ParameterRules, PatternsThatDoNothingAreRefused) {
  EXPECT_THAT(refusal({1, {"backbone.*"}}), HasSubstr("no parameter fits \"backbone.*\""));
  EXPECT_THAT(refusal({1, {"*"}}), HasSubstr("nothing is left to train"));
}

}  // namespace
}  // namespace casvit::trainer
