// What is printed reads back as exactly the same configuration, whatever the values.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <type_traits>

#include "trainer/config/config.h"
#include "trainer/config/field.h"
#include "trainer/config/value.h"

namespace casvit::trainer {
namespace {

template <typename T>
constexpr bool kIsNumber = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

template <typename T>
void expect_same_bits(const Field& field, const T& expected, const T& actual) {
  if constexpr (std::is_same_v<T, double>) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(expected), std::bit_cast<std::uint64_t>(actual))
        << field.key;
  } else {
    EXPECT_EQ(expected, actual) << field.key;
  }
}

void expect_same(Config expected, Config actual) {
  for (const Field& field : fields()) {
    std::visit([&](auto member) { expect_same_bits(field, member(expected), member(actual)); },
               field.member);
  }
}

/// A permitted number of the field's range, with all its digits.
double draw(const Field& field, std::mt19937_64& random) {
  const auto* range = std::get_if<Range>(&field.permitted);
  const double low = range != nullptr && std::isfinite(range->low) ? range->low : -1e6;
  const double high = range != nullptr && std::isfinite(range->high) ? range->high : 1e6;
  const double share = std::uniform_real_distribution<double>(1e-9, 1 - 1e-9)(random);
  return low + share * (high - low);
}

void fill(const Field& field, std::mt19937_64& random, Config& config) {
  const auto text = [&] {
    constexpr std::string_view kBytes = "ab/._ -:#\"'\\\n\t\r[]{},*&!%@`|>\x01\x7f\xc3\xa9\xff~?";
    std::string out;
    for (std::size_t i = random() % 12; i > 0; --i) out += kBytes[random() % kBytes.size()];
    return out;
  };
  std::visit(
      [&](auto member) {
        auto& value = member(config);
        using T = std::remove_reference_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>) {
          value = random() % 2 == 0;
        } else if constexpr (std::is_same_v<T, std::uint64_t>) {
          value = random();
        } else if constexpr (kIsNumber<T>) {
          value = static_cast<T>(draw(field, random));
        } else if constexpr (std::is_same_v<T, std::string>) {
          if (const auto* choice = std::get_if<OneOf>(&field.permitted)) {
            value = choice->words[random() % choice->words.size()];
          } else if (std::holds_alternative<std::monostate>(field.permitted)) {
            value = text();
          }
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          value.clear();
          for (std::size_t i = random() % 4; i > 0; --i) value.push_back(text());
        } else if constexpr (std::is_same_v<T, std::array<double, 2>>) {
          value = {draw(field, random), draw(field, random)};
          if (value[0] > value[1]) std::swap(value[0], value[1]);
        } else if constexpr (std::is_same_v<T, std::optional<double>>) {
          value.reset();
          if (random() % 2 == 0) value = draw(field, random);
        } else if (random() % 2 == 0) {
          value.emplace();
          for (double& number : *value) number = draw(field, random);
          std::ranges::sort(*value);
        } else {
          value.reset();
        }
      },
      field.member);
}

/// Makes the values fit one another, as check_combinations wants them.
void reconcile(Config& config) {
  config.batch.shard_size += config.batch.shard_size % 2;
  config.batch.shards =
      static_cast<int>(std::bit_floor(static_cast<unsigned>(config.batch.shards)));
  config.launch.expect_ranks = 0;
  if (config.parallel.reproducible) config.parallel.transport = "float32";
  config.train.epochs = 1 << 24;
  config.schedule.warmup_start = config.schedule.minimum = config.optimizer.learning_rate / 3;
  config.schedule.warmup_steps = 0;
  config.optimizer.base_batch_size = 0;
  config.clip.value = config.clip.agc = 0;
  config.model.drop_path_epochs = config.model.drop_path_schedule == "constant" ? 0 : 3;
  if (config.loss.name == "bce") {
    config.loss.class_weights = "none";
  } else {
    config.loss.bce_threshold = 0;
  }
  if (config.distillation.teacher.empty()) config.distillation.loss = "soft";
  if (config.data.val.empty()) config.train.patience = 0;
  config.augment.cutout_holes = config.augment.cutout_length = 0;
  config.mixup.cutmix_minmax.reset();
  config.augment.three_augment =
      config.augment.three_augment && config.augment.rand_augment.empty();
  config.multi_scale.max_size = std::max(config.multi_scale.max_size, config.multi_scale.min_size);
  config.multi_scale.divisor = 1;
  if (config.precision.amp == "fp16") config.device = "cuda";
}

TEST(ConfigRoundTrip, DefaultsReadBackExactly) {
  expect_same(Config{}, parse_config(to_yaml(Config{}), "printed", {}));
  expect_same(Config{}, parse_config("", "empty", {}));
}

TEST(ConfigRoundTrip, AnyValueReadsBackExactlyWithAndWithoutComments) {
  std::mt19937_64 random(20240607);
  for (int round = 0; round < 300; ++round) {
    Config config;
    for (const Field& field : fields()) fill(field, random, config);
    reconcile(config);
    for (const bool comments : {false, true}) {
      const std::string yaml = to_yaml(config, comments);
      ASSERT_NO_THROW(expect_same(config, parse_config(yaml, "printed", {}))) << yaml;
    }
    if (HasFailure()) FAIL() << to_yaml(config);
  }
}

TEST(ConfigRoundTrip, EveryKeyReadsBackFromAnOverrideToo) {
  std::mt19937_64 random(7);
  for (const Field& field : fields()) {
    Config config;
    fill(field, random, config);
    reconcile(config);
    const std::string printed = print_field(field, config);
    Config base = config;
    const Config back = parse_config(to_yaml(base), "base", {{std::string(field.key), printed}});
    EXPECT_EQ(print_field(field, back), printed);
  }
}

TEST(ConfigRoundTrip, NumbersAreShort) {
  Config config;
  config.optimizer.learning_rate = 6e-3;
  config.schedule.minimum = 1e-6;
  const std::string yaml = to_yaml(config);
  EXPECT_THAT(yaml, ::testing::HasSubstr("learning_rate: 0.006\n"));
  EXPECT_THAT(yaml, ::testing::HasSubstr("minimum: 1e-06\n"));
}

TEST(ConfigRoundTrip, WordsThatYamlTakesForTruthAreQuoted) {
  Config config;
  config.precision.amp = "off";
  EXPECT_THAT(to_yaml(config), ::testing::HasSubstr("amp: \"off\"\n"));
}

TEST(ConfigRoundTrip, DifferencesNameKeyAndBothValues) {
  Config before;
  Config after;
  EXPECT_TRUE(differences(before, after).empty());
  after.train.epochs = 40;
  after.augment.crop_scale = {0.4, 1};
  EXPECT_THAT(differences(before, after),
              ::testing::ElementsAre("train.epochs: 100 -> 40",
                                     "augment.crop_scale: [0.08, 1] -> [0.4, 1]"));
}

}  // namespace
}  // namespace casvit::trainer
