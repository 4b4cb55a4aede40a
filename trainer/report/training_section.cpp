#include "trainer/report/chart.h"
#include "trainer/report/chart_axes.h"
#include "trainer/report/curves.h"
#include "trainer/report/page.h"
#include "trainer/report/progress.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

std::string cell(const std::optional<double>& value, int digits) {
  return "<td>" + (value ? fixed(*value, digits) : "") + "</td>";
}

/// The curves' values to be read without a pointer: the last epochs of a long run.
std::string epochs_table(const std::vector<EpochMetrics>& epochs) {
  constexpr std::size_t kMostRows = 300;
  if (epochs.empty()) return "";
  const std::size_t first = epochs.size() > kMostRows ? epochs.size() - kMostRows : 0;
  std::string out =
      "<details><summary>Values by epoch</summary>\n<div class='scroll tall' tabindex='0' "
      "role='region' aria-label='Values by epoch'><table class='small long'><thead><tr>";
  for (const char* heading : {"Epoch", "Training loss", "Loss", "Top-1", "Top-5", "EMA loss",
                              "EMA top-1", "EMA top-5", "Images/s", "Time"}) {
    out += std::string("<th scope='col'>") + heading + "</th>";
  }
  out += "</tr></thead><tbody>\n";
  for (std::size_t i = first; i < epochs.size(); ++i) {
    const EpochMetrics& epoch = epochs[i];
    out += "<tr><th scope='row'>" + std::to_string(epoch.epoch) + "</th>" +
           cell(epoch.train_loss, 4) + cell(epoch.model_loss, 4) + cell(epoch.model_acc1, 2) +
           cell(epoch.model_acc5, 2) + cell(epoch.ema_loss, 4) + cell(epoch.ema_acc1, 2) +
           cell(epoch.ema_acc5, 2) + "<td>" + value_text(epoch.images_per_second) + "</td><td>" +
           format_duration(epoch.seconds) + "</td></tr>\n";
  }
  out += "</tbody></table></div>";
  if (first > 0) out += "<p class='note'>metrics.csv has the epochs before.</p>";
  return out + "</details>\n";
}

}  // namespace

std::string training_section(const Figures& figures) {
  const History& history = figures.input.history;
  std::string out;
  for (const Chart& chart : training_charts(history)) out += chart_html(chart);
  if (out.empty()) return "";
  return "<section class='card'><h2>Training</h2>\n<div class='charts'>\n" + out + "</div>\n" +
         epochs_table(history.epochs) + "</section>\n";
}

}  // namespace casvit::trainer
