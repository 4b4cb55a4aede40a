#include "trainer/engine/evaluate.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "trainer/engine/judge.h"
#include "trainer/report/progress.h"

namespace casvit::trainer {
namespace {

constexpr int kTopK = 5;

dataio::BatchSequence blocks_of_rank(std::uint64_t samples, std::uint64_t block_size,
                                     std::uint64_t rank, std::uint64_t ranks) {
  return [=](std::uint64_t k) -> std::optional<dataio::BatchPlan> {
    const std::uint64_t first = (k * ranks + rank) * block_size;
    if (first >= samples) {
      return std::nullopt;
    }
    dataio::BatchPlan plan;
    plan.samples.resize(std::min(block_size, samples - first));
    std::iota(plan.samples.begin(), plan.samples.end(), first);
    return plan;
  };
}

}  // namespace

std::optional<std::vector<Evaluation>> evaluate(const std::vector<const Rcvit*>& models,
                                                const dataio::Dataset& dataset,
                                                const EvaluateOptions& options,
                                                const at::Device& device,
                                                launch::Communicator& communicator) {
  const at::NoGradGuard no_grad;
  const int views = options.transform.view_count();
  const int samples_a_block = std::max(1, options.block_size / views);
  std::vector<Evaluation> mine(models.size());
  for (std::size_t i = 0; i < models.size(); ++i) {
    mine[i].classes = models[i]->options().num_classes;
    mine[i].top_k = std::min(kTopK, mine[i].classes);
  }
  const std::uint64_t samples =
      options.most_samples > 0 ? std::min(options.most_samples, dataset.size()) : dataset.size();
  dataio::LoaderOptions loader_options = options.loader;
  loader_options.memory = batch_memory(device);
  dataio::Loader loader(dataset,
                        blocks_of_rank(samples, static_cast<std::uint64_t>(samples_a_block),
                                       static_cast<std::uint64_t>(communicator.rank()),
                                       static_cast<std::uint64_t>(communicator.size())),
                        options.transform, loader_options);
  std::optional<Progress> progress;
  if (communicator.rank() == 0 && !options.progress_label.empty()) {
    progress.emplace(options.progress_label, static_cast<std::int64_t>(samples));
  }
  bool stopped = false;
  while (std::optional<dataio::Batch> batch = loader.next()) {
    stopped = stopped || (options.stop && options.stop());
    if (stopped) {
      break;
    }
    const at::Tensor images = images_tensor(*batch, device);
    for (std::size_t i = 0; i < models.size(); ++i) {
      const at::Tensor logits = models[i]->forward(images).to(at::kCPU, at::kFloat).contiguous();
      const auto* row = logits.const_data_ptr<float>();
      const std::size_t stride =
          static_cast<std::size_t>(mine[i].classes) * static_cast<std::size_t>(views);
      for (std::size_t n = 0; n < batch->labels.size(); ++n, row += stride) {
        const std::uint64_t sample = batch->plan.samples[n];
        if (options.transform.views.empty()) {
          judge(row, sample, batch->labels[n], mine[i]);
        } else {
          judge_views(row, views, sample, batch->labels[n], mine[i]);
        }
      }
    }
    if (progress) {
      progress->update(static_cast<std::int64_t>(batch->plan.samples.back()) + 1, "");
    }
  }
  std::vector<Evaluation> all;
  all.reserve(mine.size());
  for (const Evaluation& part : mine) {
    std::optional<Evaluation> whole = gather_evaluation(part, stopped, communicator);
    if (!whole) {
      return std::nullopt;
    }
    all.push_back(std::move(*whole));
  }
  return all;
}

}  // namespace casvit::trainer
