#include <algorithm>
#include <cmath>

#include "trainer/report/figure_files.h"
#include "trainer/report/page.h"
#include "trainer/report/progress.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

std::string duration(double seconds) {
  return seconds < 10 ? fixed(seconds, 1) + "s" : format_duration(seconds);
}

std::string time_part(const TimeBudget& time) {
  if (!(time.seconds > 0)) return "";
  const std::string percent = fixed(100 * time.goodput(), 1);
  std::string out = "<h3>Goodput: " + percent +
                    "%</h3>\n<div class='goodput' role='img' "
                    "aria-label='Goodput " +
                    percent + "%'><i style='width:" + percent + "%'></i></div>\n<p class='lead'>" +
                    duration(time.in_steps) + " of " + duration(time.seconds) +
                    " went into steps that the weights are made of, over " + grouped(time.starts) +
                    (time.starts == 1 ? " start." : " starts.");
  if (time.lost_steps > 0) {
    out += " " + grouped(time.lost_steps) + (time.lost_steps == 1 ? " step was" : " steps were") +
           " made again, for no checkpoint had them.";
  }
  if (time.between_starts >= 1) {
    out += " Between starts passed " + duration(time.between_starts) + ", which are not counted.";
  }
  return out + "</p>\n<h3>Where the time went</h3>\n" + bar_figure_html(time_bars(time));
}

/// Where the seconds of each rank's steps went, in percent of its own.
std::string ranks_part(const std::vector<RankMetrics>& epochs) {
  if (epochs.empty() || epochs.back().idle_seconds.size() < 2) return "";
  constexpr std::size_t kMostRanks = 64;
  const std::size_t ranks = epochs.back().idle_seconds.size();
  using Part = std::vector<double> RankMetrics::*;
  constexpr Part kParts[] = {&RankMetrics::compute_seconds, &RankMetrics::data_seconds,
                             &RankMetrics::comm_exposed_seconds, &RankMetrics::idle_seconds,
                             &RankMetrics::optimizer_seconds};
  std::string out =
      "<details><summary>By rank</summary>\n<div class='scroll' tabindex='0' role='region' "
      "aria-label='By rank'><table class='small'><thead><tr><th "
      "scope='col'>Rank</th><th scope='col'>Compute</th><th scope='col'>Data</th><th "
      "scope='col'>Communi\u00adcation</th><th scope='col'>Waiting</th><th "
      "scope='col'>Optimizer</th></tr></thead><tbody>\n";
  for (std::size_t rank = 0; rank < std::min(ranks, kMostRanks); ++rank) {
    std::vector<double> sums;
    double total = 0;
    for (const Part part : kParts) {
      double sum = 0;
      for (const RankMetrics& epoch : epochs) {
        if ((epoch.*part).size() == ranks) sum += (epoch.*part)[rank];
      }
      sums.push_back(sum);
      total += sum;
    }
    out += "<tr><th scope='row'>" + std::to_string(rank) + "</th>";
    for (const double sum : sums) {
      out += "<td>" + fixed(total > 0 ? 100 * sum / total : 0, 1) + "%</td>";
    }
    out += "</tr>\n";
  }
  out += "</tbody></table></div>";
  if (ranks > kMostRanks) {
    out += "<p class='note'>The first " + std::to_string(kMostRanks) + " of " +
           grouped(static_cast<long long>(ranks)) + " ranks; metrics.jsonl has all.</p>";
  }
  return out + "</details>\n";
}

}  // namespace

std::string cost_section(const Figures& figures) {
  std::string out = time_part(figures.time) + ranks_part(figures.input.history.ranks);
  if (!figures.input.memory.empty()) {
    out += "<h3>Memory of a rank</h3>\n" + bar_figure_html(memory_bars(figures));
  }
  if (out.empty()) return "";
  return "<section class='card'><h2>Cost</h2>\n" + out + "</section>\n";
}

}  // namespace casvit::trainer
