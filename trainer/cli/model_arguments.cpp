#include "trainer/cli/model_arguments.h"

#include "trainer/error.h"

namespace casvit::trainer {

WeightsChoice weights_named(const std::string& use) {
  return use == "ema"     ? WeightsChoice::kEma
         : use == "model" ? WeightsChoice::kModel
                          : WeightsChoice::kAuto;
}

std::vector<Override> parse_overrides(const std::vector<std::string>& texts) {
  std::vector<Override> parsed;
  parsed.reserve(texts.size());
  for (const std::string& text : texts) {
    parsed.push_back(parse_override(text));
  }
  return parsed;
}

std::vector<Override> ModelArguments::overrides() const {
  constexpr const char* kKey = "model.image_size";
  std::vector<Override> parsed = parse_overrides(set);
  if (size == 0) {
    return parsed;
  }
  for (const Override& given : parsed) {
    if (given.key == kKey) {
      throw ConfigError("--size and --set " + given.key + " say the same thing: give one");
    }
  }
  parsed.push_back({kKey, std::to_string(size)});
  return parsed;
}

void add_model_options(launch::CommandLine& command, ModelArguments& arguments) {
  command.option("--use", arguments.use, "Weights: auto (EMA where there are any), ema, model")
      .one_of({"auto", "ema", "model"});
  command
      .option("--size", arguments.size,
              "Side of the square that the model sees, pixels; as trained where left out")
      .range(1, 1 << 14);
  command
      .option("--set", arguments.set,
              "Override one key, e.g. augment.eval_crop_ratio=1; may be repeated")
      .one_value_each_time();
}

}  // namespace casvit::trainer
