// casvit_scale_profile: in which order, and when in backward, the gradients of a model arrive on
// this machine's CPU. Prints a profile for tools/scale/models.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "launch/command_line.h"
#include "trainer/model/rcvit.h"

namespace casvit::scale {
namespace {

using trainer::ModelState;
using Clock = std::chrono::steady_clock;

class Hook : public torch::autograd::FunctionPostHook {
 public:
  explicit Hook(std::function<void()> call) : call_(std::move(call)) {}
  torch::autograd::variable_list operator()(const torch::autograd::variable_list& outputs,
                                            const torch::autograd::variable_list&) override {
    call_();
    return outputs;
  }

 private:
  std::function<void()> call_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// Pixels a side of what a convolution of this name puts out; 1 for what works on one vector.
double output_side(const std::string& name, int image_size) {
  if (name.rfind("patch_embed.", 0) == 0) {
    return image_size / (name.rfind("patch_embed.0.", 0) == 0 ? 2 : 4);
  }
  if (name.rfind("network.", 0) == 0) {
    // The channel gate works on the mean over all pixels.
    if (name.find(".1.block.1.") != std::string::npos) return 1;
    const int place = std::stoi(name.substr(8));
    return image_size / 4.0 / std::pow(2, (place + 1) / 2);
  }
  return 1;
}

double macs_of(const ModelState& state, int image_size) {
  double macs = 0;
  for (const ModelState::Entry* entry : state.parameter_entries()) {
    if (entry->tensor.dim() < 2) continue;
    const double side = output_side(entry->name, image_size);
    macs += static_cast<double>(entry->tensor.numel()) * side * side;
  }
  return macs;
}

struct Options {
  std::string model = "rcvit_m";
  int image_size = 224;
  int batch = 8;
  int rounds = 7;
};

nlohmann::json measure(const Options& options) {
  trainer::Rcvit model(trainer::rcvit_options(options.model), at::kFloat, at::kCPU);
  model.initialise(1);
  const std::vector<const ModelState::Entry*> entries = model.state().parameter_entries();
  Clock::time_point backward_start;
  std::vector<std::vector<double>> arrivals(entries.size());  // seconds, one a round
  std::vector<std::shared_ptr<torch::autograd::Node>> accumulators;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    at::Tensor parameter = entries[i]->tensor;
    parameter.requires_grad_(true);
    accumulators.push_back(torch::autograd::impl::grad_accumulator(parameter));
    accumulators.back()->add_post_hook(std::make_unique<Hook>([&arrivals, &backward_start, i] {
      arrivals[i].push_back(std::chrono::duration<double>(Clock::now() - backward_start).count());
    }));
  }
  const at::Tensor images = at::randn({options.batch, 3, options.image_size, options.image_size})
                                .contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor labels = at::randint(model.options().num_classes, {options.batch}, at::kLong);
  std::vector<double> forward;
  std::vector<double> backward;
  for (int round = 0; round <= options.rounds; ++round) {
    const auto start = Clock::now();
    const trainer::TrainingPass pass{at::zeros_like(model.state().buffers()), 1,
                                     static_cast<std::uint64_t>(round), 0};
    const at::Tensor loss =
        at::cross_entropy_loss(model.forward_training(images, pass).logits, labels);
    backward_start = Clock::now();
    loss.backward();
    const auto end = Clock::now();
    if (round == 0) {  // the first one finds no memory at hand
      for (std::vector<double>& times : arrivals) times.clear();
      continue;
    }
    forward.push_back(std::chrono::duration<double>(backward_start - start).count());
    backward.push_back(std::chrono::duration<double>(end - backward_start).count());
    std::cerr << "\r" << options.model << ": round " << round << " of " << options.rounds;
  }
  std::cerr << '\n';

  nlohmann::json parameters = nlohmann::json::array();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    std::vector<double> shares;
    for (std::size_t round = 0; round < arrivals[i].size(); ++round) {
      shares.push_back(arrivals[i][round] / backward[round]);
    }
    parameters.push_back({{"name", entries[i]->name},
                          {"elements", entries[i]->tensor.numel()},
                          {"arrival", std::round(median(shares) * 1e5) / 1e5}});
  }
  return {{"model", options.model},
          {"image_size", options.image_size},
          {"macs", macs_of(model.state(), options.image_size)},
          {"statistics_elements", model.state().buffers().numel()},
          {"forward_share",
           std::round(median(forward) / (median(forward) + median(backward)) * 1e4) / 1e4},
          {"measured",
           {{"batch", options.batch},
            {"rounds", options.rounds},
            {"threads", at::get_num_threads()},
            {"backward_seconds", median(backward)}}},
          {"parameters", parameters}};
}

int run(int argc, char** argv) {
  launch::CommandLine command(
      "When gradients arrive during backward, as JSON.\n"
      "  casvit_scale_profile --model rcvit_m > tools/scale/models/rcvit_m.json");
  Options options;
  int threads = 1;
  command.option("--model", options.model, "rcvit_xs, rcvit_s, rcvit_m, rcvit_t");
  command.option("--image-size", options.image_size).positive();
  command.option("--batch", options.batch).positive();
  command.option("--rounds", options.rounds).positive();
  command.option("--threads", threads).positive();
  if (const auto exit_code = command.parse_or_print(argc, argv)) return *exit_code;
  at::set_num_threads(threads);
  std::cout << measure(options).dump(1) << '\n';
  return 0;
}

}  // namespace
}  // namespace casvit::scale

int main(int argc, char** argv) {
  try {
    return casvit::scale::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "casvit_scale_profile: " << error.what() << '\n';
    return 2;
  }
}
