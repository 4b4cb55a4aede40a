#include "trainer/cli/model_arguments.h"

namespace casvit::trainer {

WeightsChoice ModelArguments::weights() const {
  return use == "ema"     ? WeightsChoice::kEma
         : use == "model" ? WeightsChoice::kModel
                          : WeightsChoice::kAuto;
}

std::vector<Override> ModelArguments::overrides() const {
  std::vector<Override> parsed;
  for (const std::string& text : set) {
    parsed.push_back(parse_override(text));
  }
  return parsed;
}

void add_model_options(launch::CommandLine& command, ModelArguments& arguments) {
  command.option("--use", arguments.use, "Weights: auto (EMA where there are any), ema, model")
      .one_of({"auto", "ema", "model"});
  command
      .option("--set", arguments.set,
              "Override one key, e.g. model.image_size=192; may be repeated")
      .one_value_each_time();
}

}  // namespace casvit::trainer
