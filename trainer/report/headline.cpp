#include <algorithm>
#include <cmath>

#include "trainer/report/page.h"
#include "trainer/report/progress.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

std::string weights_row(const std::string& name, const Accuracy& accuracy, bool chosen) {
  return std::string("<tr") + (chosen ? " class='chosen'" : "") + "><th scope='row'>" + name +
         "</th><td>" + fixed(accuracy.acc1(), 2) + "%</td><td>" + fixed(accuracy.acc5(), 2) +
         "%</td><td>" + fixed(accuracy.loss, 4) + "</td></tr>\n";
}

std::string weights_table(const Figures& figures) {
  const std::string last =
      figures.headline.top_k < 5 ? std::to_string(figures.headline.top_k) : "5";
  std::string out =
      "<table class='weights'><thead><tr><th scope='col'>Weights</th><th "
      "scope='col'>Top-1</th>"
      "<th scope='col'>Top-" +
      last + "</th><th scope='col'>Loss</th></tr></thead><tbody>\n";
  if (figures.ema) out += weights_row("EMA", *figures.ema, true);
  return out + weights_row("Model", figures.model, !figures.ema) + "</tbody></table>";
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

}  // namespace

std::string headline_section(const Figures& figures) {
  const Accuracy& best = figures.best();
  const std::string percent = fixed(best.acc1(), 1);
  const Interval interval = wilson_interval(best.correct1, best.samples);
  std::string out = "<section class='card headline'>\n<div>";
  if (best.samples > 0) {
    out += "<p class='big'>" + percent + "<small>%</small></p><p class='big-name'>top-1 accuracy" +
           (figures.ema ? " with EMA weights" : "") +
           "</p>\n<div class='split'><i style='width:" + fixed(best.acc1(), 2) +
           "%'></i></div>\n<p class='note'>" + grouped(best.correct1) + " of " +
           grouped(best.samples) + " pictures right. 95% interval " + fixed(interval.low, 1) +
           " to " + fixed(interval.high, 1) + "%.</p>";
  } else {
    out += "<p class='big-name'>No picture here has a known label: there is no accuracy.</p>";
  }
  out += "</div>\n<div>" + weights_table(figures) + "</div>\n<dl class='facts'>\n" +
         fact("Pictures evaluated", grouped(figures.headline.samples())) +
         fact("Classes", grouped(figures.matrix.classes()));
  // Time and speed are what most look for: they come before other costs.
  const auto& cost = figures.input.cost;
  for (const char* name : {"seconds", "images_per_second"}) {
    if (const auto found = cost.find(name); found != cost.end())
      out += cost_fact(name, found->second);
  }
  for (const auto& [name, value] : cost) {
    if (name != "seconds" && name != "images_per_second") out += cost_fact(name, value);
  }
  return out + "</dl>\n</section>\n";
}

}  // namespace casvit::trainer
