// What a report's files say, and that nothing in names or paths can break them.

#include "trainer/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "made_up_run.h"
#include "markup.h"
#include "temporary_folder.h"
#include "trainer/error.h"
#include "trainer/report/chart_axes.h"

namespace casvit::trainer {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class Report : public ::testing::Test {
 protected:
  std::string write(const ReportInput& input) {
    page_ = write_report(folder_.path(), input).page;
    return text_of("index.html");
  }
  std::string text_of(const std::string& name) const {
    std::ifstream file(folder_.path() + "/report/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path() + "/report")) {
      names.insert(entry.path().filename());
    }
    return names;
  }

  TemporaryFolder folder_;
  std::string page_;
};

/// Three classes, four known samples (two right, one more in the top two) and an unknown one.
ReportInput small_report() {
  ReportInput input;
  input.title = "small";
  input.classes = {"a", "b", "c"};
  input.model.classes = 3;
  input.model.top_k = 2;
  input.model.sample = {0, 1, 2, 3, 4};
  input.model.label = {0, 1, 2, 2, -1};
  input.model.top = {0, 1, 1, 0, 1, 2, 0, 1, 2, 0};
  input.model.probability = {0.75F, 0.25F, 0.5F, 0.25F, 0.625F, 0.25F, 0.1F, 0.05F, 1, 0};
  input.model.loss = {0.5, 1, 1.5, 5, 99};
  input.path = [](std::uint64_t sample) { return "p/" + std::to_string(sample) + ".jpg"; };
  return input;
}

TEST(Accuracy, CountsKnownSamplesExactly) {
  const Accuracy accuracy = accuracy_of(small_report().model);
  EXPECT_EQ(accuracy.samples, 4);
  EXPECT_EQ(accuracy.correct1, 2);
  EXPECT_EQ(accuracy.correct5, 3);
  EXPECT_EQ(accuracy.loss, 2);
  EXPECT_EQ(accuracy.acc1(), 50);
  EXPECT_EQ(accuracy.acc5(), 75);
  EXPECT_EQ(accuracy_of(Evaluation{}).acc1(), 0);
}

TEST_F(Report, WritesEveryFileAndNothingElse) {
  write(made_up_report());
  EXPECT_EQ(
      files(),
      (std::set<std::string>{
          "index.html", "report.json", "classification_report.txt", "confusion_matrix.csv",
          "per_class.csv", "calibration.csv", "predictions.csv", "confusion_matrix.svg",
          "confusion_matrix.png", "curves.svg", "curves.png", "reliability.svg", "reliability.png",
          "samples_per_class.svg", "samples_per_class.png", "time.svg", "time.png"}));
  EXPECT_EQ(page_, folder_.path() + "/report/index.html");
}

TEST_F(Report, OfARunUnderWaySaysHowFarItIs) {
  ReportInput input = made_up_report();
  EXPECT_THAT(write(input), Not(HasSubstr("Under way")));
  EXPECT_THAT(text_of("index.html"), Not(HasSubstr("id='reloads'")));
  input.under_way = UnderWay{3, 40, 3725};
  input.written = 1'790'000'000;
  const std::string page = write(input);
  EXPECT_THAT(page, HasSubstr("Under way: epoch 3 of 40 done, about 1h02m to go.</b> As of "
                              "2026-09-21 14:13 UTC"));
  EXPECT_THAT(page, HasSubstr("style='width:7.50%'"));
  EXPECT_THAT(page, HasSubstr("id='reloads'"));
}

TEST_F(Report, JsonHasTheDocumentedShape) {
  ReportInput input = made_up_report();
  write(input);
  const json report = json::parse(text_of("report.json"));
  const Accuracy model = accuracy_of(input.model);
  const Accuracy ema = accuracy_of(*input.ema);
  EXPECT_EQ(report.at("model").at("acc1"), model.acc1());
  EXPECT_EQ(report.at("model").at("acc5"), model.acc5());
  EXPECT_EQ(report.at("model").at("loss"), model.loss);
  EXPECT_EQ(report.at("ema").at("acc1"), ema.acc1());
  EXPECT_EQ(report.at("weights"), "ema");
  for (const char* weights : {"model", "ema"}) {
    const json& one = report.at(weights);
    EXPECT_EQ(one.at("log_loss"), one.at("loss"));
    EXPECT_LT(one.at("acc1_interval").at(0), one.at("acc1"));
    EXPECT_GT(one.at("acc1_interval").at(1), one.at("acc1"));
    EXPECT_LE(one.at("acc5_interval").at(0), one.at("acc5"));
    EXPECT_LT(one.at("macro_f1_interval").at(0), one.at("macro_f1"));
    EXPECT_LE(one.at("ece"), 1);
  }
  EXPECT_EQ(report.at("ema").at("macro_f1"), report.at("macro_avg").at("f1"));
  EXPECT_DOUBLE_EQ(report.at("micro_avg").at("f1"), ema.acc1() / 100);
  EXPECT_EQ(report.at("bootstrap").at("resamples"), 1000);
  EXPECT_EQ(report.at("calibration").size(), 15U);
  EXPECT_EQ(report.at("train_samples").size(), 12U);
  EXPECT_EQ(report.at("config_defaults"),
            json({{"model.image_size", "224"}, {"train.epochs", "100"}}));
  EXPECT_EQ(report.at("time").at("starts"), 2);
  EXPECT_EQ(report.at("time").at("lost_steps"), 12);
  EXPECT_GE(report.at("comparison").at("mcnemar_p"), 0);
  EXPECT_EQ(report.at("samples"), 708);
  EXPECT_EQ(report.at("classes"), json(species()));
  std::int64_t all = 0;
  std::int64_t right = 0;
  for (std::size_t row = 0; row < 12; ++row) {
    for (std::size_t column = 0; column < 12; ++column) {
      const auto count = report.at("confusion_matrix").at(row).at(column).get<std::int64_t>();
      all += count;
      right += row == column ? count : 0;
    }
  }
  EXPECT_EQ(all, 708);
  EXPECT_EQ(right, ema.correct1);
  EXPECT_EQ(report.at("per_class").size(), 12U);
  EXPECT_GT(report.at("per_class").at("Maize").at("f1"), 0.5);
  EXPECT_EQ(report.at("config").at("train").at("epochs"), 40);
  EXPECT_EQ(report.at("config").at("precision").at("amp"), "off");
  EXPECT_EQ(report.at("config").at("optimizer").at("betas"), json({0.9, 0.999}));
  EXPECT_TRUE(report.at("config").at("data").at("mean").is_null());
  EXPECT_EQ(report.at("versions").at("libtorch"), "2.11.0");
  EXPECT_EQ(report.at("cost").at("ranks"), 2);
}

TEST_F(Report, WithoutEmaTheModelCounts) {
  write(small_report());
  const json report = json::parse(text_of("report.json"));
  EXPECT_TRUE(report.at("ema").is_null());
  EXPECT_EQ(report.at("weights"), "model");
  EXPECT_EQ(report.at("samples"), 5);
  EXPECT_EQ(report.at("confusion_matrix"), json({{1, 0, 0}, {0, 1, 0}, {1, 1, 0}}));
  EXPECT_EQ(files().count("curves.svg"), 0U) << "an evaluation has no curves";
}

TEST_F(Report, TablesAreAsDocumented) {
  write(small_report());
  EXPECT_EQ(text_of("confusion_matrix.csv"), "true\\predicted,a,b,c\na,1,0,0\nb,0,1,0\nc,1,1,0\n");
  EXPECT_EQ(text_of("per_class.csv"),
            "class,precision,recall,f1,support,train_samples\n"
            "a,0.5,1,0.6666666666666666,1,\nb,0.5,1,0.6666666666666666,1,\nc,0,0,0,2,\n");
  EXPECT_THAT(text_of("calibration.csv"), HasSubstr("low,high,count,confidence,accuracy\n0,"));
  EXPECT_EQ(text_of("predictions.csv"),
            "path,label,top1,top1_probability,top2,top2_probability\n"
            "p/0.jpg,a,a,0.75,b,0.25\np/1.jpg,b,b,0.5,a,0.25\np/2.jpg,c,b,0.625,c,0.25\n"
            "p/3.jpg,c,a,0.1,b,0.05\np/4.jpg,,c,1,a,0\n");
}

TEST_F(Report, WithoutNamesClassesAreIndices) {
  ReportInput input = small_report();
  input.classes.clear();
  write(input);
  EXPECT_THAT(text_of("predictions.csv"), HasSubstr("p/2.jpg,2,1,0.625,2,0.25\n"));
  EXPECT_EQ(json::parse(text_of("report.json")).at("classes"), json({"0", "1", "2"}));
}

TEST_F(Report, PageShowsTheHeadline) {
  const ReportInput input = made_up_report();
  const std::string page = write(input);
  const Accuracy ema = accuracy_of(*input.ema);
  EXPECT_THAT(page, HasSubstr(std::to_string(ema.acc1()).substr(0, 4)));
  EXPECT_THAT(page, HasSubstr(std::to_string(ema.correct1) + " of 708 pictures right"));
  EXPECT_THAT(page, HasSubstr("<dt>Training time</dt><dd>28m47s</dd>"));
  EXPECT_THAT(page, HasSubstr("<dt>Images per second</dt><dd>77.8</dd>"));
  EXPECT_THAT(page, HasSubstr("Small-flowered Cranesbill"));
  EXPECT_THAT(page, HasSubstr("aria-label='Learning rate'"));
}

TEST_F(Report, PageAndFiguresAreWellFormed) {
  const std::string page = write(made_up_report());
  EXPECT_EQ(markup_problem(page), "");
  for (const std::string& name : files()) {
    if (!name.ends_with(".svg")) continue;
    EXPECT_EQ(markup_problem(text_of(name)), "") << name;
  }
}

TEST_F(Report, HostileNamesAndPathsStayText) {
  ReportInput input = small_report();
  const std::string hostile = "</td><script>alert(\"1\")</script>\xff,\n'";
  input.title = hostile;
  input.classes = {hostile, "b\"", "c&amp;"};
  input.path = [&](std::uint64_t) { return hostile; };
  input.config_yaml = "a: \"</pre><script>\"\n";
  input.data = {{hostile, hostile}};
  input.versions = {{hostile, hostile}};
  const std::string page = write(input);
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_EQ(markup_problem(page), "");
  const json report = json::parse(text_of("report.json"));
  EXPECT_THAT(report.at("classes").at(0), HasSubstr("</td><script>"));
  EXPECT_THAT(
      text_of("predictions.csv"),
      HasSubstr("\"</td><script>alert(\"\"1\"\")</script>\xff,\n'\",0.75,\"b\"\"\",0.25\n"));
}

TEST_F(Report, ManyClassesAreShownInPart) {
  ReportInput input = small_report();
  input.classes.clear();
  input.model = made_up_evaluation(200, 3000, 0.7, 3);
  const std::string page = write(input);
  EXPECT_THAT(page, HasSubstr("Of 200 classes these 30 have the most mistakes"));
  EXPECT_EQ(markup_problem(page), "");
}

TEST_F(Report, NoKnownLabelIsSaidAndNotDivided) {
  ReportInput input = small_report();
  input.model.label.assign(5, -1);
  const std::string page = write(input);
  EXPECT_THAT(page, HasSubstr("No picture here has a known label"));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

TEST_F(Report, ValuesThatAreNotFiniteBreakNothing) {
  ReportInput input = small_report();
  input.history = made_up_history(2, 10);
  for (StepMetrics& step : input.history.steps) step.loss = std::nanf("");
  input.history.epochs[0].model_loss = std::numeric_limits<double>::infinity();
  input.model.loss[0] = std::numeric_limits<double>::infinity();
  EXPECT_EQ(markup_problem(write(input)), "");
  EXPECT_TRUE(json::parse(text_of("report.json")).at("model").at("loss").is_null());
  EXPECT_THAT(text_of("curves.svg"), Not(HasSubstr("nan")));
  EXPECT_THAT(text_of("curves.svg"), Not(HasSubstr("inf")));
}

TEST_F(Report, PartsThatDoNotFitAreOurDefect) {
  ReportInput input = small_report();
  input.model.loss.pop_back();
  EXPECT_THROW(write(input), std::logic_error);
  input = small_report();
  input.model.label[0] = 3;
  EXPECT_THROW(write(input), std::logic_error);
  input = small_report();
  input.ema = input.model;
  input.ema->label[0] = 1;
  EXPECT_THROW(write(input), std::logic_error) << "other pictures";
  input = small_report();
  input.train_counts = {1, 2};
  EXPECT_THROW(write(input), std::logic_error);
  input = small_report();
  input.classes.pop_back();
  EXPECT_THROW(write(input), std::logic_error);
}

TEST_F(Report, FolderThatCannotBeWrittenIsAnOutputError) {
  std::ofstream(folder_.path() + "/report") << "a file in the way";
  EXPECT_THROW(write(small_report()), OutputError);
}

TEST(Chart, TicksAreRoundAndCoverTheValues) {
  for (const auto& [low, high] :
       {std::pair{0.0, 1.0}, {0.0, 0.002}, {20.3, 93.8}, {-3.0, 7e5}, {5.0, 5.0}}) {
    const std::vector<double> ticks = axis_ticks(low, high);
    EXPECT_LE(ticks.front(), low);
    EXPECT_GE(ticks.back(), high * (1 - 1e-12));
    EXPECT_GE(ticks.size(), 2U);
    EXPECT_LE(ticks.size(), 8U);
    const double step = ticks[1] - ticks[0];
    const double mantissa = step / std::pow(10, std::floor(std::log10(step) + 1e-9));
    EXPECT_TRUE(std::abs(mantissa - 1) < 1e-6 || std::abs(mantissa - 2) < 1e-6 ||
                std::abs(mantissa - 5) < 1e-6)
        << step;
  }
}

}  // namespace
}  // namespace casvit::trainer
