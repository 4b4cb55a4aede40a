// The text format 0.0.4; the official client reads it in tests/trainer/engine/prometheus_test.py.

#include "trainer/telemetry/prometheus_text.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace casvit::trainer {
namespace {

using Type = PrometheusText::Type;

TEST(PrometheusText, HeadsFamiliesAndPrintsSamples) {
  PrometheusText text;
  text.family("a_total", Type::kCounter, "How many.").sample(3);
  text.family("b_ratio", Type::kGauge, "How much.")
      .sample(0.1, {{"weights", "ema"}, {"top", "1"}})
      .sample(1e300, {{"weights", "model"}});
  EXPECT_EQ(text.text(),
            "# HELP a_total How many.\n# TYPE a_total counter\na_total 3\n"
            "# HELP b_ratio How much.\n# TYPE b_ratio gauge\n"
            "b_ratio{weights=\"ema\",top=\"1\"} 0.1\nb_ratio{weights=\"model\"} 1e+300\n");
}

TEST(PrometheusText, EscapesWhatTheFormatReserves) {
  PrometheusText text;
  text.family("a", Type::kGauge, "back\\slash, \"quotes\"\nand a line")
      .sample(1, {{"path", "C:\\\"runs\"\n\xff"}});
  EXPECT_EQ(text.text(),
            "# HELP a back\\\\slash, \"quotes\"\\nand a line\n# TYPE a gauge\n"
            "a{path=\"C:\\\\\\\"runs\\\"\\n\xef\xbf\xbd\"} 1\n");
}

TEST(PrometheusText, NumbersThatAreNotFinite) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  PrometheusText text;
  text.family("a", Type::kGauge, "-")
      .sample(kInfinity)
      .sample(-kInfinity)
      .sample(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(text.text(), "# HELP a -\n# TYPE a gauge\na +Inf\na -Inf\na NaN\n");
}

TEST(PrometheusText, BucketsOfAHistogramAreCumulative) {
  PrometheusText text;
  text.family("a_seconds", Type::kHistogram, "-")
      .histogram(std::array{0.5, 1.0}, std::array<std::uint64_t, 3>{2, 0, 5}, 12.5);
  EXPECT_EQ(text.text(),
            "# HELP a_seconds -\n# TYPE a_seconds histogram\n"
            "a_seconds_bucket{le=\"0.5\"} 2\na_seconds_bucket{le=\"1\"} 2\n"
            "a_seconds_bucket{le=\"+Inf\"} 7\na_seconds_sum 12.5\na_seconds_count 7\n");
}

}  // namespace
}  // namespace casvit::trainer
