#include "made_up_run.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

namespace casvit::trainer {

std::vector<std::string> species() {
  return {"Black-grass",
          "Charlock",
          "Cleavers",
          "Common Chickweed",
          "Common wheat",
          "Fat Hen",
          "Loose Silky-bent",
          "Maize",
          "Scentless Mayweed",
          "Shepherds Purse",
          "Small-flowered Cranesbill",
          "Sugar beet"};
}

Evaluation made_up_evaluation(int classes, int samples, double skill, unsigned seed) {
  std::mt19937 pictures(1);  // the same for every model
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  Evaluation evaluation;
  evaluation.classes = classes;
  evaluation.top_k = std::min(5, classes);
  for (int i = 0; i < samples; ++i) {
    const int label = static_cast<int>(std::pow(uniform(pictures), 1.3) * classes);
    // Neighbours are mistaken for each other more often than others, and even classes more often.
    std::vector<double> score(static_cast<std::size_t>(classes));
    for (int c = 0; c < classes; ++c) {
      score[static_cast<std::size_t>(c)] = uniform(random) + (std::abs(c - label) == 6 ? 1.2 : 0);
    }
    const bool right = uniform(random) < skill - (label % 6 == 0 ? 0.15 : 0);
    score[static_cast<std::size_t>(label)] = right ? 4 + uniform(random) : 1.1 * uniform(random);
    std::vector<int> order(score.size());
    for (int c = 0; c < classes; ++c) order[static_cast<std::size_t>(c)] = c;
    std::ranges::partial_sort(order, order.begin() + evaluation.top_k, [&](int a, int b) {
      const double one = score[static_cast<std::size_t>(a)];
      const double two = score[static_cast<std::size_t>(b)];
      return one != two ? one > two : a < b;
    });
    double sum = 0;
    for (double& s : score) sum += s = std::exp(1.7 * s);
    for (int k = 0; k < evaluation.top_k; ++k) {
      const int c = order[static_cast<std::size_t>(k)];
      evaluation.top.push_back(c);
      evaluation.probability.push_back(
          static_cast<float>(score[static_cast<std::size_t>(c)] / sum));
    }
    evaluation.sample.push_back(static_cast<std::uint64_t>(i));
    evaluation.label.push_back(label);
    evaluation.loss.push_back(-std::log(score[static_cast<std::size_t>(label)] / sum));
  }
  return evaluation;
}

History made_up_history(int epochs, int steps_per_epoch) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal(0, 1);
  History history;
  const double total = static_cast<double>(epochs) * steps_per_epoch;
  std::int64_t step = 0;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    for (int i = 0; i < steps_per_epoch; ++i) {
      const double done = static_cast<double>(++step) / total;
      StepMetrics metrics;
      metrics.step = step;
      metrics.epoch = epoch;
      metrics.loss = static_cast<float>(0.72 + 1.8 * std::exp(-5 * done) + 0.09 * normal(random));
      metrics.lr = done < 0.075 ? 2e-3 * done / 0.075
                                : 1e-3 * (1 + std::cos(std::numbers::pi * (done - 0.075) / 0.925));
      metrics.grad_norm = static_cast<float>(1.5 + 0.3 * std::abs(normal(random)));
      metrics.images_per_second = 78 + 2.5 * normal(random);
      metrics.data_seconds = 0.002;
      metrics.comm_exposed_seconds = 0.011;
      metrics.compute_seconds = 0.78;
      metrics.optimizer_seconds = 0.02;
      metrics.seconds = 0.82;
      history.steps.push_back(metrics);
    }
    const double done = static_cast<double>(epoch) / epochs;
    EpochMetrics metrics;
    metrics.step = step;
    metrics.epoch = epoch;
    metrics.train_loss = 0.72 + 1.8 * std::exp(-5 * done);
    metrics.seconds = 43.2;
    metrics.images_per_second = 77.8;
    metrics.model_acc1 = 93.4 - 80 * std::exp(-6.5 * done) + 1.2 * (1 - done) * normal(random);
    metrics.model_acc5 = 99.6 - 40 * std::exp(-9 * done);
    metrics.model_loss = 0.24 + 2.1 * std::exp(-6 * done) + 0.05 * (1 - done) * normal(random);
    metrics.ema_acc1 = 93.8 - 84 * std::exp(-6 * done);
    metrics.ema_acc5 = 99.7 - 44 * std::exp(-8 * done);
    metrics.ema_loss = 0.22 + 2.3 * std::exp(-5.6 * done);
    history.epochs.push_back(metrics);
    const double steps = steps_per_epoch;
    history.ranks.push_back({step,
                             epoch,
                             steps_per_epoch,
                             {0.002 * steps, 0.003 * steps},
                             {0.78 * steps, 0.75 * steps},
                             {0.008 * steps, 0.008 * steps},
                             {0.02 * steps, 0.02 * steps},
                             {0.003 * steps, 0.03 * steps}});
    history.pauses.push_back({step, epoch, "evaluation", 1.7});
    history.pauses.push_back({step, epoch, "checkpoint", 0.2});
  }
  const double spent = 0.82 * total + 1.9 * epochs;
  const double half = kMadeUpStart + spent / 2;
  history.starts.push_back({0, 0, 2, kMadeUpStart, 3.5, 0, 0});
  history.starts.push_back({step / 2, epochs / 2, 2, half + 600, 3.1, half, 12});
  return history;
}

std::string one_pixel_png() {
  return std::string(
      "\211\120\116\107\015\012\032\012\000\000\000\015\111\110\104\122\000\000\000\001"
      "\000\000\000\001\010\000\000\000\000\072\176\233\125\000\000\000\012\111\104\101"
      "\124\170\234\143\150\000\000\000\202\000\201\167\315\162\266\000\000\000\000\111"
      "\105\116\104\256\102\140\202",
      67);
}

ReportInput made_up_report() {
  ReportInput input;
  input.title = "rcvit_xs on seedlings.val.h5";
  input.classes = species();
  input.model = made_up_evaluation(12, 708, 0.955, 1);
  input.ema = made_up_evaluation(12, 708, 0.96, 2);
  input.path = [](std::uint64_t sample) {
    return "Black-grass/img_" + std::to_string(1000 + sample * 7) + ".jpg";
  };
  input.history = made_up_history(40, 51);
  input.config_yaml =
      "device: auto\nmodel:\n  name: rcvit_xs\n  image_size: 128\nbatch:\n  shards: 2\n"
      "  shard_size: 32\ntrain:\n  epochs: 40\n  seed: 0\nprecision:\n  amp: \"off\"\n"
      "optimizer:\n  learning_rate: 0.002\n  betas: [0.9, 0.999]\ndata:\n  mean: null\n";
  input.data = {{"train", "seedlings.train.h5 (3,319 pictures)"},
                {"val", "seedlings.val.h5 (708 pictures)"},
                {"hash", "9f2c61d04be7a853"}};
  input.versions = {{"casvit", "0.1.0"},
                    {"libtorch", "2.11.0"},
                    {"mpi", "Open MPI 4.1.4"},
                    {"hdf5", "1.10.8"},
                    {"cpu", "2 cores, AVX-512, bfloat16"}};
  input.train_counts = {263, 390, 287, 611, 221, 475, 654, 221, 516, 231, 496, 385};
  input.config_values = {{"device", "auto", "auto"},
                         {"model.name", "rcvit_xs", "rcvit_xs"},
                         {"model.image_size", "128", "224"},
                         {"train.epochs", "40", "100"}};
  input.thumbnail = [](std::uint64_t sample) {
    return sample % 5 == 0 ? Thumbnail{"", "", "its bytes are not those packed"}
                           : Thumbnail{"image/png", one_pixel_png(), ""};
  };
  input.memory = {{"weights", 2.8e6 * 4}, {"gradients", 2.8e6 * 4}, {"optimizer", 5.6e6 * 4}};
  input.written = kMadeUpStart + 600 + 2 * 0.82 * 40 * 51;
  input.cost = {{"seconds", 1727.4},
                {"images_per_second", 77.8},
                {"peak_memory_bytes", 1.31e9},
                {"ranks", 2}};
  return input;
}

}  // namespace casvit::trainer
