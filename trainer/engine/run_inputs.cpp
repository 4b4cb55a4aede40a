#include "trainer/engine/run_inputs.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <string>
#include <vector>

#include "trainer/config/data_options.h"
#include "trainer/engine/check_world.h"
#include "trainer/engine/options_from_config.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

std::vector<std::string> required(const std::vector<std::string>& files, const char* key) {
  if (files.empty()) {
    throw ConfigError(std::string(key) +
                      " is empty; name the .h5 file that casvit-pack wrote, e.g. --set " + key +
                      "=photos.train.h5");
  }
  return files;
}

std::int64_t last_step_of(const Config& config, std::int64_t total_steps) {
  return config.train.max_steps > 0 ? std::min(config.train.max_steps, total_steps) : total_steps;
}

}  // namespace

RunInputs::RunInputs(const Config& config, launch::World& world)
    : threads(world.plan_threads(threads_wanted(config))),
      compute(choose_compute(config.device, config.precision.amp, world.local_rank())),
      staged(stage_data(required(config.data.train, "data.train"), config.data.val,
                        config.data.stage_to, world)),
      train(staged.train, dataset_options_of(config)) {
  at::set_num_threads(threads.compute);
  plan = ShardPlan::make(step_table_of(config, train.size()), world.size(), world.rank());
  if (!config.data.val.empty()) {
    val.emplace(staged.val, dataset_options_of(config));
    if (val->class_names() != train.class_names()) {
      throw ConfigError("data.val (" + val->files().front() +
                        ") has other classes than data.train (" + train.files().front() +
                        "); pack both from folders with the same class names");
    }
  }
  refuse_other_data(train.content_hash() + (val ? val->content_hash() : ""), world);
  normalization = normalization_of(config, train);
  schedule = schedule_of(config, plan.steps);
  last_step = last_step_of(config, schedule.total_steps());
}

}  // namespace casvit::trainer
