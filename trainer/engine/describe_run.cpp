#include "trainer/engine/describe_run.h"

#include "trainer/config/data_options.h"
#include "trainer/engine/run_report.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

std::string counted(long long number, const char* thing) {
  return std::to_string(number) + " " + thing + (number == 1 ? "" : "s");
}

std::string describe_model(const Config& config, const RunInputs& inputs, const Rcvit& model,
                           int ranks) {
  return config.model.name + ", " + std::to_string(model.state().parameter_count()) +
         " parameters, " + std::to_string(model.options().num_classes) + " classes; " +
         inputs.compute.describe() + "; " + counted(ranks, "rank") + " x " +
         counted(inputs.threads.compute, "thread");
}

std::string describe_batches(const Config& config, const RunInputs& inputs) {
  const std::vector<dataio::ImageScale> scales =
      dataio::image_scales(step_table_of(config, inputs.train.size()));
  const auto batch = [&](const dataio::ImageScale& scale) {
    return std::to_string(inputs.plan.shards * scale.shard_size) + " = " +
           std::to_string(inputs.plan.shards) + " shards x " + std::to_string(scale.shard_size);
  };
  if (config.multi_scale.rule == "off") {
    return "batch " + batch(scales[0]) + "; " + std::to_string(inputs.plan.steps.first_step(1)) +
           " steps an epoch";
  }
  return std::to_string(scales.size()) + " image sizes, from batch " + batch(scales.front()) +
         " of " + std::to_string(scales.front().image_size) + " pixels to batch " +
         batch(scales.back()) + " of " + std::to_string(scales.back().image_size) + "; " +
         std::to_string(inputs.schedule.total_steps()) + " steps";
}

}  // namespace

std::vector<std::string> describe_run(const Config& config, const RunInputs& inputs,
                                      const Rcvit& model, int ranks) {
  std::vector<std::string> lines{describe_model(config, inputs, model, ranks)};
  if (inputs.compute.device.is_cpu() && inputs.compute.autocast && !cpu_has_bf16()) {
    lines.emplace_back(
        "warning: this processor has no bf16 arithmetic, and emulating it is many times slower "
        "than float32; precision.amp: auto uses bf16 only where it is fast");
  }
  lines.push_back("train: " + describe_data(inputs.train) + "; " +
                  describe_batches(config, inputs));
  if (inputs.val) {
    lines.push_back("val: " + describe_data(*inputs.val));
  }
  lines.insert(lines.end(), inputs.staged.notes.begin(), inputs.staged.notes.end());
  return lines;
}

}  // namespace casvit::trainer
