// metrics.jsonl and metrics.csv: exact, always parseable, and cut to the checkpoint on resume.

#include "trainer/report/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "temporary_folder.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Metrics : public ::testing::Test {
 protected:
  std::string run() const { return folder_.path() + "/run"; }
  std::string jsonl() const { return run() + "/metrics.jsonl"; }
  std::string csv() const { return run() + "/metrics.csv"; }

  static std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  static std::vector<std::string> lines_of(const std::string& path) {
    std::vector<std::string> lines;
    std::istringstream text(text_of(path));
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }
  void append_raw(const std::string& bytes) const {
    std::ofstream(jsonl(), std::ios::binary | std::ios::app) << bytes;
  }
  void write_steps(int first, int last) const {
    MetricsLog log(run(), first);
    for (int step = first; step <= last; ++step) {
      StepMetrics metrics;
      metrics.step = step;
      log.append(metrics);
    }
  }
  /// Two epochs of three steps.
  void write_run() const {
    MetricsLog log(run(), 0);
    for (int step = 1; step <= 6; ++step) {
      StepMetrics metrics;
      metrics.step = step;
      metrics.epoch = (step + 2) / 3;
      metrics.loss = 1.0F / static_cast<float>(step);
      log.append(metrics);
      if (step % 3 != 0) continue;
      EpochMetrics epoch;
      epoch.step = step;
      epoch.epoch = metrics.epoch;
      epoch.ema_acc1 = 50 + step;
      log.append(epoch);
    }
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(Metrics, FiguresReadBackToTheBit) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(-30, 30);
  const auto draw = [&] { return std::exp(uniform(random)); };
  History written;
  {
    MetricsLog log(run(), 0);
    for (int i = 1; i <= 200; ++i) {
      StepMetrics step{i,
                       i / 7 + 1,
                       static_cast<float>(draw()),
                       draw(),
                       static_cast<float>(draw()),
                       draw(),
                       draw(),
                       draw(),
                       draw(),
                       std::nullopt,
                       draw(),
                       draw()};
      StartMetrics start{i, i, 2, draw(), draw(), draw(), 7};
      PauseMetrics pause{i, i, "evaluation", draw()};
      RankMetrics ranks{i, i, 3, {draw()}, {draw(), draw()}, {}, {draw()}, {draw()}};
      EpochMetrics epoch{i,      i,      draw(), draw(), draw(), draw(), std::nullopt,
                         draw(), draw(), draw(), {},     draw(), draw()};
      log.append(step);
      log.append(epoch);
      log.append(ranks);
      log.append(start);
      log.append(pause);
      written.starts.push_back(start);
      written.pauses.push_back(pause);
      written.steps.push_back(step);
      written.ranks.push_back(ranks);
      written.epochs.push_back(epoch);
    }
  }
  const History read = read_history(run());
  ASSERT_EQ(read.steps.size(), 200U);
  ASSERT_EQ(read.epochs.size(), 200U);
  ASSERT_EQ(read.ranks.size(), 200U);
  for (std::size_t i = 0; i < 200; ++i) {
    const StepMetrics& a = written.steps[i];
    const StepMetrics& b = read.steps[i];
    EXPECT_EQ(std::tie(a.step, a.epoch, a.loss, a.lr, a.grad_norm, a.images_per_second,
                       a.data_seconds, a.comm_exposed_seconds, a.compute_seconds,
                       a.optimizer_seconds, a.loss_scale, a.seconds),
              std::tie(b.step, b.epoch, b.loss, b.lr, b.grad_norm, b.images_per_second,
                       b.data_seconds, b.comm_exposed_seconds, b.compute_seconds,
                       b.optimizer_seconds, b.loss_scale, b.seconds));
    const RankMetrics& e = written.ranks[i];
    const RankMetrics& f = read.ranks[i];
    EXPECT_EQ(std::tie(e.step, e.epoch, e.steps, e.data_seconds, e.compute_seconds,
                       e.comm_exposed_seconds, e.optimizer_seconds, e.idle_seconds),
              std::tie(f.step, f.epoch, f.steps, f.data_seconds, f.compute_seconds,
                       f.comm_exposed_seconds, f.optimizer_seconds, f.idle_seconds));
    const StartMetrics& g = written.starts[i];
    const StartMetrics& h = read.starts.at(i);
    EXPECT_EQ(std::tie(g.step, g.epoch, g.ranks, g.began, g.starting_seconds, g.previous_ended,
                       g.lost_steps),
              std::tie(h.step, h.epoch, h.ranks, h.began, h.starting_seconds, h.previous_ended,
                       h.lost_steps));
    EXPECT_EQ(written.pauses[i].on, read.pauses.at(i).on);
    EXPECT_EQ(written.pauses[i].seconds, read.pauses.at(i).seconds);
    const EpochMetrics& c = written.epochs[i];
    const EpochMetrics& d = read.epochs[i];
    EXPECT_EQ(std::tie(c.step, c.epoch, c.train_loss, c.seconds, c.images_per_second, c.model_acc1,
                       c.model_acc5, c.model_loss, c.ema_acc1, c.ema_acc5, c.ema_loss, c.replaced,
                       c.skipped),
              std::tie(d.step, d.epoch, d.train_loss, d.seconds, d.images_per_second, d.model_acc1,
                       d.model_acc5, d.model_loss, d.ema_acc1, d.ema_acc5, d.ema_loss, d.replaced,
                       d.skipped));
  }
}

TEST_F(Metrics, LinesAreOutAtOnceAndNamedAsDocumented) {
  MetricsLog log(run(), 0);
  log.append(StepMetrics{1, 1, 2.5F, 0.001, 1.25F, 75.5, 0.01, 0.02, {}, {}, {}, {}});
  EXPECT_EQ(lines_of(jsonl()).at(0),
            R"({"kind": "step", "step": 1, "epoch": 1, "loss": 2.5, "lr": 0.001, )"
            R"("grad_norm": 1.25, "images_per_second": 75.5, "data_seconds": 0.01, )"
            R"("comm_exposed_seconds": 0.02})");
  log.append(EpochMetrics{1, 1, 2.5, 44, 75, 50.0, {}, {}, {}, {}, {}, 3.0, 4.0});
  EXPECT_EQ(lines_of(jsonl()).at(1),
            R"({"kind": "epoch", "step": 1, "epoch": 1, "train_loss": 2.5, "seconds": 44, )"
            R"("images_per_second": 75, "model_acc1": 50, "replaced": 3, "skipped": 4})");
  log.append(StartMetrics{7, 1, 2, 1000.5, 3, 900, 4});
  EXPECT_EQ(lines_of(jsonl()).at(2),
            R"({"kind": "start", "step": 7, "epoch": 1, "ranks": 2, "began": 1000.5, )"
            R"("starting_seconds": 3, "previous_ended": 900, "lost_steps": 4})");
  log.append(PauseMetrics{7, 1, "evaluation", 0.5});
  EXPECT_EQ(lines_of(jsonl()).at(3),
            R"({"kind": "pause", "step": 7, "epoch": 1, "on": "evaluation", "seconds": 0.5})");
  const auto csv_lines = lines_of(csv());
  EXPECT_EQ(csv_lines.at(0),
            "kind,step,epoch,loss,lr,grad_norm,images_per_second,data_seconds,comm_exposed_seconds,"
            "compute_seconds,optimizer_seconds,loss_scale,train_loss,seconds,model_acc1,model_acc5,"
            "model_loss,ema_acc1,ema_acc5,ema_loss,replaced,skipped");
  EXPECT_EQ(csv_lines.at(1), "step,1,1,2.5,0.001,1.25,75.5,0.01,0.02,,,,,,,,,,,,,");
  EXPECT_EQ(csv_lines.at(2), "epoch,1,1,,,,75,,,,,,2.5,44,50,,,,,,3,4");
}

TEST_F(Metrics, WhatIsNotFiniteIsNullAndEmpty) {
  {
    MetricsLog log(run(), 0);
    StepMetrics metrics;
    metrics.loss = std::numeric_limits<float>::quiet_NaN();
    metrics.grad_norm = std::numeric_limits<float>::infinity();
    log.append(metrics);
  }
  const auto json = nlohmann::json::parse(lines_of(jsonl()).at(0));
  EXPECT_TRUE(json.at("loss").is_null());
  EXPECT_TRUE(json.at("grad_norm").is_null());
  EXPECT_THAT(lines_of(csv()).at(1), StartsWith("step,0,0,,0,,"));
  EXPECT_TRUE(std::isnan(read_history(run()).steps.at(0).loss));
}

TEST_F(Metrics, ResumeDropsWhatCameAfterTheCheckpointInBothFiles) {
  write_run();
  const auto before = lines_of(jsonl());
  const auto csv_before = lines_of(csv());
  { const MetricsLog log(run(), 4); }
  EXPECT_EQ(lines_of(jsonl()), std::vector<std::string>(before.begin(), before.begin() + 5));
  EXPECT_EQ(lines_of(csv()), std::vector<std::string>(csv_before.begin(), csv_before.begin() + 6));
  const History history = read_history(run());
  EXPECT_EQ(history.steps.back().step, 4);
  EXPECT_EQ(history.epochs.size(), 1U);
}

TEST_F(Metrics, ResumeAtAnEpochsEndKeepsTheEpochsLine) {
  write_run();
  { const MetricsLog log(run(), 3); }
  EXPECT_EQ(read_history(run()).epochs.at(0).ema_acc1, 53);
}

TEST_F(Metrics, ResumedRunEndsWithTheSameFilesAsOneNeverInterrupted) {
  write_run();
  const std::string jsonl_whole = text_of(jsonl());
  const std::string csv_whole = text_of(csv());
  const History whole = read_history(run());
  append_raw("{\"kind\": \"step\", \"step\": 7, \"ep");
  {
    MetricsLog log(run(), 4);
    log.append(whole.steps.at(4));
    log.append(whole.steps.at(5));
    log.append(whole.epochs.at(1));
  }
  EXPECT_EQ(text_of(jsonl()), jsonl_whole);
  EXPECT_EQ(text_of(csv()), csv_whole);
}

TEST_F(Metrics, TornLastLineIsPassedOver) {
  write_run();
  append_raw("{\"kind\": \"step\", \"st");
  EXPECT_EQ(read_history(run()).steps.size(), 6U);
  { const MetricsLog log(run(), 6); }
  EXPECT_EQ(lines_of(jsonl()).size(), 8U);
}

TEST_F(Metrics, CorruptLineInTheMiddleIsNamed) {
  write_run();
  append_raw("not json\n{\"kind\": \"step\"}\n");
  try {
    read_history(run());
    FAIL() << "accepted";
  } catch (const CheckpointError& error) {
    EXPECT_THAT(error.what(), HasSubstr("metrics.jsonl:9:"));
  }
  EXPECT_THROW(MetricsLog(run(), 6), CheckpointError);
}

TEST_F(Metrics, StartingAfreshForgetsAnEarlierRun) {
  write_run();
  { const MetricsLog log(run(), 0); }
  EXPECT_EQ(text_of(jsonl()), "");
  EXPECT_EQ(lines_of(csv()).size(), 1U);
}

TEST_F(Metrics, ResumeWithoutMetricsBeginsThem) {
  { const MetricsLog log(run(), 10); }
  EXPECT_TRUE(read_history(run()).steps.empty());
}

TEST_F(Metrics, FolderThatCannotBeWrittenIsNamed) {
  std::filesystem::create_directories(run());
  const std::string file = run() + "/file";
  std::ofstream(file) << "a file";
  try {
    const MetricsLog log(file + "/run", 0);
    FAIL() << "accepted";
  } catch (const OutputError& error) {
    EXPECT_THAT(error.what(), HasSubstr(file));
  }
  EXPECT_THROW(read_history("no/such/run"), CheckpointError);
}

TEST_F(Metrics, AContinuedRunKeepsItsStartsAndTellsWhatItLost) {
  {
    MetricsLog log(run(), 0);
    EXPECT_EQ(log.dropped().ended, 0);
    log.append(StartMetrics{0, 0, 2, 1000.5, 3, 0, 0});
  }
  write_steps(1, 6);
  {
    MetricsLog log(run(), 6);
    log.append(StartMetrics{6, 2, 2, 2000, 3, 1500, 0});
    log.append(PauseMetrics{6, 2, "checkpoint", 0.5});
  }
  const MetricsLog log(run(), 4);  // a checkpoint before the one of the last start
  EXPECT_EQ(log.dropped().steps, 2);
  EXPECT_GT(log.dropped().ended, 1.7e9);
  const History history = read_history(run());
  EXPECT_EQ(history.steps.size(), 4U);
  EXPECT_EQ(history.starts.size(), 2U) << "time passed, whatever became of its steps";
  EXPECT_TRUE(history.pauses.empty());
}

}  // namespace
}  // namespace casvit::trainer
