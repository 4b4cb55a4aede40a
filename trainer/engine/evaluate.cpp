#include "trainer/engine/evaluate.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>
#include <utility>

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

/// Judges one sample's logits `[classes]` in float64.
void judge(const float* logits, std::uint64_t sample, std::int32_t label, Evaluation& evaluation) {
  const auto classes = static_cast<std::size_t>(evaluation.classes);
  const double largest = *std::max_element(logits, logits + classes);
  double sum = 0;
  for (std::size_t c = 0; c < classes; ++c) {
    sum += std::exp(static_cast<double>(logits[c]) - largest);
  }
  const double log_sum = largest + std::log(sum);

  std::vector<std::int32_t> order(classes);
  std::iota(order.begin(), order.end(), 0);
  const auto k = static_cast<std::ptrdiff_t>(evaluation.top_k);
  std::partial_sort(order.begin(), order.begin() + k, order.end(),
                    [&](std::int32_t a, std::int32_t b) {
                      return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
                    });
  evaluation.sample.push_back(sample);
  evaluation.label.push_back(label);
  evaluation.loss.push_back(log_sum - static_cast<double>(logits[label]));
  for (std::ptrdiff_t i = 0; i < k; ++i) {
    const std::int32_t c = order[static_cast<std::size_t>(i)];
    evaluation.top.push_back(c);
    evaluation.probability.push_back(
        static_cast<float>(std::exp(static_cast<double>(logits[c]) - log_sum)));
  }
}

template <typename T>
void pack(std::string& bytes, const std::vector<T>& values) {
  const auto* data = reinterpret_cast<const char*>(values.data());
  bytes.append(data, values.size() * sizeof(T));
}

template <typename T>
void unpack(const char*& bytes, std::size_t count, std::vector<T>& values) {
  const std::size_t before = values.size();
  values.resize(before + count);
  std::memcpy(values.data() + before, bytes, count * sizeof(T));
  bytes += count * sizeof(T);
}

/// Everyone's part, put together in the order of samples; nothing where one was stopped.
std::optional<Evaluation> gather(const Evaluation& mine, bool stopped,
                                 launch::Communicator& communicator) {
  std::string bytes;
  pack(bytes, std::vector<std::uint64_t>{mine.sample.size(), stopped ? 1U : 0U});
  pack(bytes, mine.sample);
  pack(bytes, mine.loss);
  pack(bytes, mine.label);
  pack(bytes, mine.top);
  pack(bytes, mine.probability);

  Evaluation all{.classes = mine.classes,
                 .top_k = mine.top_k,
                 .sample = {},
                 .label = {},
                 .top = {},
                 .probability = {},
                 .loss = {}};
  for (const std::string& part :
       launch::all_gather_strings(communicator, bytes, "the results of the evaluation")) {
    const char* at = part.data();
    std::vector<std::uint64_t> head;
    unpack(at, 2, head);
    if (head[1] != 0) {
      return std::nullopt;
    }
    const std::size_t n = head[0];
    const std::size_t k = n * static_cast<std::size_t>(mine.top_k);
    unpack(at, n, all.sample);
    unpack(at, n, all.loss);
    unpack(at, n, all.label);
    unpack(at, k, all.top);
    unpack(at, k, all.probability);
  }

  std::vector<std::size_t> order(all.sample.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return all.sample[a] < all.sample[b]; });
  Evaluation sorted{.classes = mine.classes,
                    .top_k = mine.top_k,
                    .sample = {},
                    .label = {},
                    .top = {},
                    .probability = {},
                    .loss = {}};
  const auto k = static_cast<std::size_t>(mine.top_k);
  for (const std::size_t i : order) {
    sorted.sample.push_back(all.sample[i]);
    sorted.label.push_back(all.label[i]);
    sorted.loss.push_back(all.loss[i]);
    for (std::size_t j = i * k; j < (i + 1) * k; ++j) {
      sorted.top.push_back(all.top[j]);
      sorted.probability.push_back(all.probability[j]);
    }
  }
  return sorted;
}

}  // namespace

std::optional<std::vector<Evaluation>> evaluate(const std::vector<const Rcvit*>& models,
                                                const dataio::Dataset& dataset,
                                                const EvaluateOptions& options,
                                                const at::Device& device,
                                                launch::Communicator& communicator) {
  const at::NoGradGuard no_grad;
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
                        blocks_of_rank(samples, static_cast<std::uint64_t>(options.block_size),
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
      for (std::size_t n = 0; n < batch->labels.size(); ++n) {
        judge(row + n * static_cast<std::size_t>(mine[i].classes), batch->plan.samples[n],
              batch->labels[n], mine[i]);
      }
    }
    if (progress) {
      progress->update(static_cast<std::int64_t>(batch->plan.samples.back()) + 1, "");
    }
  }
  std::vector<Evaluation> all;
  all.reserve(mine.size());
  for (const Evaluation& part : mine) {
    std::optional<Evaluation> whole = gather(part, stopped, communicator);
    if (!whole) {
      return std::nullopt;
    }
    all.push_back(std::move(*whole));
  }
  return all;
}

}  // namespace casvit::trainer
