// Figures of a run are what was noted, and can be read while it goes on.

#include "trainer/telemetry/run_gauges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <thread>

namespace casvit::trainer {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

RunGauges::Facts facts() {
  RunGauges::Facts facts;
  facts.model = "rcvit_xs";
  facts.run_folder = "runs/\"a\"";
  facts.ranks = 2;
  facts.epochs = 3;
  facts.last_step = 30;
  facts.steps_before = 10;
  facts.epochs_before = 1;
  facts.skipped_before = 4;
  return facts;
}

StepMetrics step(std::int64_t number, double seconds) {
  StepMetrics metrics;
  metrics.step = number;
  metrics.epoch = 2;
  metrics.loss = 1.25F;
  metrics.lr = 0.001;
  metrics.data_seconds = 0.25;
  metrics.seconds = seconds;
  return metrics;
}

double sample(const std::string& text, const std::string& name) {
  const std::size_t at = text.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
}

TEST(RunGauges, BeforeTheFirstStepNothingIsMadeUp) {
  const RunGauges gauges(facts());
  const std::string text = gauges.text();
  EXPECT_THAT(text, HasSubstr("run_folder=\"runs/\\\"a\\\"\"} 1\n"));
  EXPECT_EQ(sample(text, "casvit_step"), 10);
  EXPECT_EQ(sample(text, "casvit_epoch"), 2);
  EXPECT_EQ(sample(text, "casvit_images_total"), 0);
  EXPECT_GT(sample(text, "casvit_resident_memory_bytes"), 1e5);
  EXPECT_THAT(text, Not(HasSubstr("casvit_train_loss")));
  EXPECT_THAT(text, Not(HasSubstr("casvit_validation")));
}

TEST(RunGauges, StepsAddUp) {
  RunGauges gauges(facts());
  gauges.note(step(11, 0.1), 64, 4, 0);
  gauges.note(step(12, 300), 64, 5, 2);
  const std::string text = gauges.text();
  EXPECT_EQ(sample(text, "casvit_step"), 12);
  EXPECT_EQ(sample(text, "casvit_steps_total"), 2);
  EXPECT_EQ(sample(text, "casvit_images_total"), 128);
  EXPECT_EQ(sample(text, "casvit_skipped_steps_total"), 1);
  EXPECT_EQ(sample(text, "casvit_replaced_images_total"), 2);
  EXPECT_EQ(sample(text, "casvit_data_wait_seconds_total"), 0.5);
  EXPECT_EQ(sample(text, "casvit_train_loss"), 1.25);
  EXPECT_EQ(sample(text, "casvit_step_seconds_bucket{le=\"0.05\"}"), 0);
  EXPECT_EQ(sample(text, "casvit_step_seconds_bucket{le=\"0.1\"}"), 1);
  EXPECT_EQ(sample(text, "casvit_step_seconds_bucket{le=\"250\"}"), 1);
  EXPECT_EQ(sample(text, "casvit_step_seconds_count"), 2);
}

TEST(RunGauges, AccuraciesAreSharesAndPausesHaveTheirReason) {
  RunGauges gauges(facts());
  EpochMetrics epoch;
  epoch.epoch = 2;
  epoch.model_acc1 = 75;
  epoch.model_acc5 = 100;
  epoch.model_loss = 0.5;
  gauges.note(epoch);
  gauges.note(PauseMetrics{12, 2, "evaluation", 1.5});
  gauges.note(PauseMetrics{12, 2, "checkpoint", 0.5});
  gauges.note(PauseMetrics{12, 2, "report", 0.25});
  std::string text = gauges.text();
  EXPECT_EQ(sample(text, "casvit_validation_accuracy_ratio{weights=\"model\",top=\"1\"}"), 0.75);
  EXPECT_EQ(sample(text, "casvit_validation_accuracy_ratio{weights=\"model\",top=\"5\"}"), 1);
  EXPECT_EQ(sample(text, "casvit_validation_loss{weights=\"model\"}"), 0.5);
  EXPECT_EQ(sample(text, "casvit_epochs_done"), 2);
  EXPECT_THAT(text, Not(HasSubstr("weights=\"ema\"")));
  EXPECT_EQ(sample(text, "casvit_pause_seconds_total{on=\"evaluation\"}"), 1.5);
  EXPECT_EQ(sample(text, "casvit_pause_seconds_total{on=\"checkpoint\"}"), 0.5);
  EXPECT_EQ(sample(text, "casvit_pause_seconds_total{on=\"report\"}"), 0.25);
  epoch.ema_acc1 = 80;
  epoch.ema_loss = std::numeric_limits<double>::quiet_NaN();
  gauges.note(epoch);
  text = gauges.text();
  EXPECT_EQ(sample(text, "casvit_validation_accuracy_ratio{weights=\"ema\",top=\"1\"}"), 0.8);
  EXPECT_THAT(text, HasSubstr("casvit_validation_loss{weights=\"ema\"} NaN\n"));
}

TEST(RunGauges, AreReadWhileTheyAreWritten) {
  RunGauges gauges(facts());
  constexpr int kSteps = 20000;
  std::atomic<bool> done = false;
  std::thread training([&] {
    for (int i = 1; i <= kSteps; ++i) gauges.note(step(10 + i, 0.01), 1, 4, 0);
    done = true;
  });
  double images = 0;
  while (!done) {
    const double now = sample(gauges.text(), "casvit_images_total");
    EXPECT_GE(now, images);
    images = now;
  }
  training.join();
  EXPECT_EQ(sample(gauges.text(), "casvit_step_seconds_count"), kSteps);
}

}  // namespace
}  // namespace casvit::trainer
