// What is read from run folders, finished or not, and how it stands side by side.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "run_folders.h"
#include "tests/trainer/report/made_up_run.h"
#include "trainer/compare/run_columns.h"
#include "trainer/compare/run_comparison.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

/// Three epochs of two steps; the second is the best.
History small_history() {
  History history;
  for (int step = 1; step <= 6; ++step) {
    StepMetrics metrics;
    metrics.step = step;
    metrics.epoch = (step + 1) / 2;
    metrics.loss = 2.0F / static_cast<float>(step);
    metrics.lr = 0.001;
    metrics.images_per_second = step % 2 == 0 ? 100 : 50;
    metrics.seconds = step % 2 == 0 ? 1 : 2;
    metrics.compute_seconds = 0.5;
    metrics.optimizer_seconds = 0.1;
    history.steps.push_back(metrics);
  }
  const std::array<double, 3> accuracy{40, 60, 50};
  for (int epoch = 1; epoch <= 3; ++epoch) {
    EpochMetrics metrics;
    metrics.step = 2 * epoch;
    metrics.epoch = epoch;
    metrics.train_loss = 1.0 / epoch;
    metrics.seconds = 4;
    metrics.model_acc1 = accuracy.at(static_cast<std::size_t>(epoch - 1));
    metrics.model_loss = 2.0 / epoch;
    history.epochs.push_back(metrics);
  }
  return history;
}

constexpr const char* kReport =
    R"({"model": {"acc1": 50, "acc1_interval": [45.5, 54.5], "loss": 0.7, "samples": 8},
        "ema": null, "samples": 8, "time": {"goodput": 0.75}, "data": {"validation data hash": "aa"},
        "cost": {"seconds": 30, "images_per_second": 77, "peak_memory_bytes": 1073741824, "ranks": 2}})";

class Runs : public ::testing::Test {
 protected:
  RunFolders folders_;

  RunSummary summary(const std::string& name) const {
    return compare_runs({folders_.path(name)}).summaries[0];
  }
};

TEST_F(Runs, AFinishedRunHasEverything) {
  folders_.write_history("a", small_history());
  folders_.write_config("a", "train: {epochs: 3}\n");
  folders_.write_report("a", kReport);
  const RunSummary run = summary("a/");
  EXPECT_EQ(run.name, "a");
  EXPECT_EQ(run.epochs, 3);
  EXPECT_EQ(run.epochs_planned, 3);
  EXPECT_EQ(run.steps, 6);
  ASSERT_TRUE(run.model);
  EXPECT_EQ(run.model->best, 60);
  EXPECT_EQ(run.model->best_epoch, 2);
  EXPECT_EQ(run.model->last, 50);
  ASSERT_TRUE(run.model->interval);
  EXPECT_EQ(run.model->interval->low, 45.5);
  EXPECT_FALSE(run.ema);
  EXPECT_DOUBLE_EQ(run.training_loss.value(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(run.validation_loss.value(), 2.0 / 3);
  EXPECT_EQ(run.seconds, 30);
  EXPECT_EQ(run.goodput, 0.75);
  EXPECT_EQ(run.images_per_second, 77);
  EXPECT_EQ(run.peak_memory_bytes, 1073741824);
  EXPECT_EQ(run.ranks, 2);
  EXPECT_TRUE(run.has_report);
}

TEST_F(Runs, AnUnfinishedRunHasWhatItsMetricsSay) {
  folders_.write_history("b", small_history());
  folders_.write_config("b", "train: {epochs: 10}\n");
  const RunSummary run = summary("b");
  EXPECT_EQ(run.epochs_planned, 10);
  EXPECT_FALSE(run.model->interval);
  EXPECT_DOUBLE_EQ(run.images_per_second.value(), (3 * 2 * 50 + 3 * 1 * 100) / 9.0);
  EXPECT_EQ(run.seconds, 12) << "no line says when it started: its epochs";
  EXPECT_FALSE(run.goodput);
  EXPECT_FALSE(run.peak_memory_bytes);
  EXPECT_FALSE(run.has_report);
}

TEST_F(Runs, AReportOfAnEarlierEvaluationGivesNoInterval) {
  folders_.write_history("c", small_history());
  std::string report = kReport;
  report.replace(report.find("\"acc1\": 50"), 10, "\"acc1\": 40");
  folders_.write_report("c", report, /*older=*/true);
  const RunComparison comparison = compare_runs({folders_.path("c")});
  EXPECT_FALSE(comparison.summaries[0].model->interval);
  EXPECT_EQ(comparison.summaries[0].model->last, 50);
  EXPECT_FALSE(comparison.summaries[0].has_report);
  EXPECT_NE(comparison.summaries[0].seconds, 30) << "of a shorter run";
  EXPECT_THAT(comparison.notes, Contains(HasSubstr("older than the metrics")));
}

TEST_F(Runs, WhatWasEvaluatedAloneCanBeCompared) {
  folders_.write_report("evaluated", kReport);
  const RunSummary run = summary("evaluated");
  EXPECT_EQ(run.model->best, 50);
  EXPECT_EQ(run.model->best_epoch, 0);
  EXPECT_TRUE(run.model->interval);
  EXPECT_EQ(run.validation_loss, 0.7);
  EXPECT_EQ(run.steps, 0);
}

TEST_F(Runs, ARunThatHasJustBegunHasAConfigurationAlone) {
  folders_.write_config("new", "train: {epochs: 10}\n");
  folders_.write_history("begun", [] {
    History history;
    history.starts.push_back({});
    return history;
  }());
  const RunComparison comparison = compare_runs({folders_.path("new"), folders_.path("begun")});
  EXPECT_THAT(comparison.notes, Contains(HasSubstr("new: no steps")));
  EXPECT_THAT(comparison.notes, Contains(HasSubstr("begun: no configuration")));
  EXPECT_THAT(comparison_text(comparison), HasSubstr("begun"));
}

TEST_F(Runs, FoldersThatAreNoRunAreNamed) {
  std::filesystem::create_directories(folders_.path("empty"));
  EXPECT_THAT([&] { compare_runs({folders_.path("empty")}); },
              ThrowsMessage<CheckpointError>(HasSubstr("/empty is no run")));
  EXPECT_THAT([&] { compare_runs({folders_.path("nowhere")}); },
              ThrowsMessage<CheckpointError>(HasSubstr("there is no folder")));
  folders_.write_report("torn", R"({"model": {"acc1": )");
  EXPECT_THAT([&] { compare_runs({folders_.path("torn")}); },
              ThrowsMessage<CheckpointError>(HasSubstr("torn/report/report.json")));
  folders_.write_history("bad", small_history());
  std::ofstream(folders_.path("bad") + "/metrics.jsonl", std::ios::app) << "{\"kind\": 1}\n";
  EXPECT_THAT([&] { compare_runs({folders_.path("bad")}); },
              ThrowsMessage<CheckpointError>(HasSubstr("metrics.jsonl:10: no line of metrics")));
}

TEST_F(Runs, ReportsWithAnythingInThemAreRead) {
  folders_.write_history("odd", small_history());
  for (const char* text :
       {"{}", R"({"model": 3, "cost": [], "time": null, "data": {"validation data hash": 7}})",
        R"({"model": {"acc1": 50, "acc1_interval": ["a", 1]}, "cost": {"seconds": "long"}})"}) {
    folders_.write_report("odd", text);
    EXPECT_EQ(summary("odd").model->last, 50) << text;
    EXPECT_FALSE(summary("odd").model->interval) << text;
  }
}

TEST_F(Runs, ConfigurationsThatThisVersionDoesNotReadAreNoted) {
  folders_.write_history("old", small_history());
  folders_.write_config("old", "train: {epoks: 3}\n");
  const RunComparison comparison = compare_runs({folders_.path("old")});
  EXPECT_THAT(comparison.notes, Contains(AllOf(HasSubstr("old: no configuration"),
                                               HasSubstr("unknown key train.epoks"))));
}

TEST_F(Runs, OnlyWhatDiffersIsListed) {
  folders_.write_config("a", "train: {epochs: 3, seed: 1}\nbatch: {shards: 2}\n");
  folders_.write_config("b", "train: {epochs: 4, seed: 1}\nbatch: {shards: 2}\n");
  folders_.write_history("c", small_history());
  const RunComparison comparison =
      compare_runs({folders_.path("a"), folders_.path("b"), folders_.path("c")});
  ASSERT_EQ(comparison.differences.size(), 1U);
  EXPECT_EQ(comparison.differences[0].key, "train.epochs");
  EXPECT_EQ(comparison.differences[0].values[1], "4");
  EXPECT_EQ(comparison.differences[0].values[2], std::nullopt);
}

TEST_F(Runs, DifferentValidationPicturesAreNoted) {
  folders_.write_report("a", kReport);
  std::string report = kReport;
  report.replace(report.find("\"aa\""), 4, "\"bb\"");
  folders_.write_report("b", report);
  const auto notes = [&](const std::vector<std::string>& runs) { return compare_runs(runs).notes; };
  EXPECT_THAT(notes({folders_.path("a"), folders_.path("b")}),
              Contains(HasSubstr("not measured on the same pictures")));
  EXPECT_THAT(notes({folders_.path("a"), folders_.path("a")}),
              Not(Contains(HasSubstr("not measured on the same pictures"))));
}

TEST_F(Runs, FoldersOfTheSameNameAreToldApartByThoseAbove) {
  folders_.write_report("x/run", kReport);
  folders_.write_report("y/run", kReport);
  folders_.write_report("z/other", kReport);
  const RunComparison comparison =
      compare_runs({folders_.path("x/run"), folders_.path("y/run"), folders_.path("z/other")});
  EXPECT_EQ(comparison.summaries[0].name, "x/run");
  EXPECT_EQ(comparison.summaries[1].name, "y/run");
  EXPECT_EQ(comparison.summaries[2].name, "other");
  const RunComparison twice = compare_runs({folders_.path("x/run"), folders_.path("x/run")});
  EXPECT_EQ(twice.summaries[0].name, folders_.path("x/run").substr(1)) << "they are the same";
}

TEST_F(Runs, TheTableLinesUpAndLeavesOutWhatNobodyHas) {
  folders_.write_history("a", small_history());
  folders_.write_config("a", "train: {epochs: 3}\n");
  folders_.write_report("a", kReport);
  folders_.write_history("longer-name", small_history());
  folders_.write_config("longer-name", "train: {epochs: 10}\n");
  const std::string text =
      comparison_text(compare_runs({folders_.path("a"), folders_.path("longer-name")}));
  EXPECT_EQ(text.substr(0, text.find("\n\n")),
            "run          epochs  steps  best model         last model  train loss  val loss  "
            "images/s  time  goodput   memory  ranks\n"
            "a               3/3      6    60.00 @2  50.00 (45.5-54.5)      0.3333    0.6667  "
            "    77.0   30s    75.0%  1.0 GiB      2\n"
            "longer-name    3/10      6    60.00 @2              50.00      0.3333    0.6667  "
            "    66.7   12s");
  EXPECT_THAT(text,
              HasSubstr("\n\nconfiguration  a  longer-name\ntrain.epochs   3           10\n"));
}

TEST_F(Runs, TheJsonHasNullForWhatIsNotKnown) {
  folders_.write_history("a", small_history());
  folders_.write_report("e", kReport);
  const json parsed =
      json::parse(comparison_json(compare_runs({folders_.path("a"), folders_.path("e")})));
  EXPECT_EQ(parsed["runs"][0]["model_acc1"]["best"], 60);
  EXPECT_EQ(parsed["runs"][0]["model_acc1"]["last_interval"], nullptr);
  EXPECT_EQ(parsed["runs"][0]["ema_acc1"], nullptr);
  EXPECT_EQ(parsed["runs"][0]["peak_memory_bytes"], nullptr);
  EXPECT_EQ(parsed["runs"][1]["model_acc1"]["last_interval"], (json{45.5, 54.5}));
  EXPECT_EQ(parsed["runs"][1]["has_report"], true);
  EXPECT_TRUE(parsed["differences"].empty());
}

TEST_F(Runs, WhatIsNotFiniteIsNotKnown) {
  History history = small_history();
  history.epochs[2].model_acc1 = std::numeric_limits<double>::quiet_NaN();
  history.epochs[2].train_loss = std::numeric_limits<double>::infinity();
  folders_.write_history("a", history);
  const RunComparison comparison = compare_runs({folders_.path("a")});
  EXPECT_EQ(comparison.summaries[0].model->last, 60);
  EXPECT_EQ(json::parse(comparison_json(comparison))["runs"][0]["training_loss"], nullptr);
  EXPECT_THAT(comparison_text(comparison), Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace casvit::trainer
