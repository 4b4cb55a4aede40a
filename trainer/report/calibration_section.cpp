#include "trainer/report/page.h"
#include "trainer/report/text.h"

namespace casvit::trainer {

std::string calibration_section(const Figures& figures) {
  if (figures.matrix.samples() == 0) return "";
  const Calibration& calibration = figures.best().calibration;
  double confidence = 0;
  for (const CalibrationBin& bin : calibration.bins) {
    confidence += bin.confidence * static_cast<double>(bin.count);
  }
  confidence /= static_cast<double>(figures.matrix.samples());
  const double accuracy = figures.scores.accuracy;
  std::string out = "<section class='card'><h2>Calibration</h2>\n<p class='lead'>";
  out += "On average the network is " + fixed(100 * confidence, 1) + "% sure of its answers, and " +
         fixed(100 * accuracy, 1) + "% of them are right: it is " +
         (confidence > accuracy ? "surer than it should be." : "less sure than it could be.") +
         " The expected calibration error (ECE, " + std::to_string(calibration.bins.size()) +
         " bins of equal width) is " + fixed(100 * calibration.ece, 2) +
         "%.</p>\n<div class='charts'>\n";
  for (const Chart& chart : reliability_charts(calibration)) out += chart_html(chart);
  out +=
      "</div>\n<details><summary>Values by bin</summary>\n<div class='scroll' tabindex='0' "
      "role='region' aria-label='Values by bin'><table class='small'><thead><tr><th "
      "scope='col'>Confidence</th><th scope='col'>Answers</th><th scope='col'>Mean "
      "confidence</th><th scope='col'>Right</th></tr></thead><tbody>\n";
  for (const CalibrationBin& bin : calibration.bins) {
    out += "<tr><th scope='row'>" + fixed(100 * bin.low, 1) + " to " + fixed(100 * bin.high, 1) +
           "%</th><td>" + grouped(bin.count) + "</td>";
    out += bin.count == 0 ? "<td></td><td></td></tr>\n"
                          : "<td>" + fixed(100 * bin.confidence, 1) + "%</td><td>" +
                                fixed(100 * bin.accuracy, 1) + "%</td></tr>\n";
  }
  return out + "</tbody></table></div></details></section>\n";
}

}  // namespace casvit::trainer
