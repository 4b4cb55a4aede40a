#include <algorithm>
#include <cmath>
#include <functional>

#include "trainer/report/page.h"
#include "trainer/report/progress.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

std::string interval_text(const Interval& interval, double scale, int digits) {
  return fixed(scale * interval.low, digits) + " to " + fixed(scale * interval.high, digits);
}

using Cell = std::function<std::string(const Judgement&)>;

std::string with_interval(double value, const Interval& interval, double scale) {
  return fixed(scale * value, 2) + "%<small>" + interval_text(interval, scale, 2) + "</small>";
}

/// A row a figure, a column a set of weights.
std::string weights_table(const Figures& figures) {
  const std::string top = "Top-" + std::to_string(std::min(5, figures.headline.top_k));
  const auto row = [&](const std::string& name, const Cell& cell) {
    std::string out = "<tr><th scope='row'>" + name + "</th>";
    if (figures.ema) out += "<td class='chosen'>" + cell(*figures.ema) + "</td>";
    return out + "<td" + (figures.ema ? "" : " class='chosen'") + ">" + cell(figures.model) +
           "</td></tr>\n";
  };
  std::string out = "<table class='weights'><thead><tr><th scope='col'>Weights</th>";
  if (figures.ema) out += "<th scope='col' class='chosen'>EMA</th>";
  out += "<th scope='col'>Model</th></tr></thead><tbody>\n";
  out += row("Top-1", [](const Judgement& one) {
    return with_interval(one.accuracy.acc1(), one.intervals.acc1, 1);
  });
  out += row(top, [](const Judgement& one) {
    return with_interval(one.accuracy.acc5(), one.intervals.acc5, 1);
  });
  out += row("Macro F1", [](const Judgement& one) {
    return with_interval(one.macro_f1, one.intervals.macro_f1, 100);
  });
  out += row("Log loss", [](const Judgement& one) { return fixed(one.accuracy.loss, 4); });
  out += row("Calibration error (ECE)",
             [](const Judgement& one) { return fixed(100 * one.calibration.ece, 2) + "%"; });
  return out + "</tbody></table>";
}

/// Whether the two sets of weights differ by more than chance.
std::string comparison_note(const Comparison& comparison) {
  const std::string counts = "Of the pictures that only one of the two has right, the EMA has " +
                             grouped(comparison.only_second) + " and the model " +
                             grouped(comparison.only_first) + ": ";
  constexpr double kSignificant = 0.05;
  const std::string p =
      comparison.p_value < 0.0001 ? "p &lt; 0.0001" : "p = " + fixed(comparison.p_value, 4);
  return "<p class='note'>" + counts +
         (comparison.p_value < kSignificant ? "more than chance explains ("
                                            : "no more than chance explains (") +
         p + ", exact McNemar test).</p>";
}

/// What a resample cannot show: mistakes that did not happen.
std::string flawless_note(const Accuracy& accuracy) {
  if (accuracy.correct1 != accuracy.samples) return "";
  constexpr double kTail = 0.025;
  const double least = 100 * std::pow(kTail, 1.0 / static_cast<double>(accuracy.samples));
  return " Without a mistake the interval has no width; the exact binomial one begins at " +
         fixed(least, 1) + "%.";
}

std::string fact(const std::string& name, const std::string& value) {
  return "<div><dt>" + escape_html(name) + "</dt><dd>" + escape_html(value) + "</dd></div>\n";
}

/// What a cost is called and how it reads.
std::string cost_fact(const std::string& name, double value) {
  constexpr double kGibibyte = 1024.0 * 1024 * 1024;
  if (name == "seconds") return fact("Training time", format_duration(value));
  if (name == "images_per_second") {
    return fact("Images per second", value < 100 ? fixed(value, 1) : grouped(std::llround(value)));
  }
  if (name == "peak_memory_bytes") {
    return fact("Peak memory", fixed(value / kGibibyte, 1) + " GiB");
  }
  std::string words = sanitize_utf8(name);
  std::ranges::replace(words, '_', ' ');
  if (!words.empty() && words[0] >= 'a' && words[0] <= 'z') {
    words[0] = static_cast<char>(words[0] - 'a' + 'A');
  }
  return fact(words, shortest(std::round(value * 1000) / 1000));
}

std::string facts(const Figures& figures) {
  std::string out = "<dl class='facts'>\n" +
                    fact("Pictures evaluated", grouped(figures.headline.samples())) +
                    fact("Classes", grouped(figures.matrix.classes()));
  // Time and speed are what most look for: they come before other costs.
  const auto& cost = figures.input.cost;
  for (const char* name : {"seconds", "images_per_second"}) {
    if (const auto found = cost.find(name); found != cost.end()) {
      out += cost_fact(name, found->second);
    }
  }
  if (figures.time.seconds > 0) {
    out += fact("Goodput", fixed(100 * figures.time.goodput(), 1) + "%");
  }
  for (const auto& [name, value] : cost) {
    if (name != "seconds" && name != "images_per_second") out += cost_fact(name, value);
  }
  return out + "</dl>\n";
}

}  // namespace

std::string headline_section(const Figures& figures) {
  const Judgement& best = figures.best();
  const Accuracy& accuracy = best.accuracy;
  std::string out = "<section class='card headline' aria-label='Headline'>\n<div>";
  if (accuracy.samples > 0) {
    out += "<p class='big'>" + fixed(accuracy.acc1(), 1) +
           "<small>%</small></p><p class='big-name'>top-1 accuracy" +
           (figures.ema ? " with EMA weights" : "") +
           "</p>\n<div class='split'><i style='width:" + fixed(accuracy.acc1(), 2) +
           "%'></i></div>\n<p class='note'>" + grouped(accuracy.correct1) + " of " +
           grouped(accuracy.samples) + " pictures right. 95% interval " +
           interval_text(best.intervals.acc1, 1, 1) + "%." + flawless_note(accuracy) + "</p>";
  } else {
    out += "<p class='big-name'>No picture here has a known label: there is no accuracy.</p>";
  }
  out += "</div>\n<div>";
  if (accuracy.samples > 0) {
    const BootstrapOptions bootstrap;
    out += weights_table(figures) +
           "<p class='note'>Below a figure its 95% interval: percentile "
           "bootstrap over pictures, " +
           grouped(bootstrap.resamples) + " resamples, seed " + std::to_string(bootstrap.seed) +
           ".</p>";
    if (figures.comparison) out += comparison_note(*figures.comparison);
  }
  return out + "</div>\n" + facts(figures) + "</section>\n";
}

}  // namespace casvit::trainer
