// Pictures on the page: mistakes, and what the network looks at.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "trainer/report/heat_colors.h"
#include "trainer/report/mistakes.h"
#include "trainer/report/page.h"
#include "trainer/report/page_pictures.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

std::string mistake_html(const Figures& figures, const Mistake& mistake, PagePictures& pictures) {
  const std::string& truth = figures.classes[static_cast<std::size_t>(mistake.label)];
  const std::string& guess = figures.classes[static_cast<std::size_t>(mistake.predicted)];
  std::string out = "<li>";
  if (figures.input.thumbnail) {
    out += pictures.html(figures.input.thumbnail(mistake.sample), truth + " taken for " + guess);
  }
  return out + "<b>" + escape_html(truth) + "</b> " + share_html(mistake.label_probability) +
         " <span class='as'>taken for</span> " + escape_html(guess) + " " +
         share_html(static_cast<double>(mistake.probability)) + "<span class='path'>" +
         escape_html(figures.input.path(mistake.sample)) + "</span></li>\n";
}

std::string gallery(const Figures& figures, const std::string& title,
                    const std::vector<Mistake>& mistakes, PagePictures& pictures) {
  std::string out = "<h3>" + title + "</h3>\n<ul class='gallery'>\n";
  for (const Mistake& mistake : mistakes) out += mistake_html(figures, mistake, pictures);
  return out + "</ul>\n";
}

/// What the network said of a picture: "<b>Maize</b> 1.2% taken for Cleavers 97.3%".
std::string answer_html(const Figures& figures, std::uint64_t sample) {
  const Evaluation& evaluation = figures.headline;
  const auto found = std::ranges::lower_bound(evaluation.sample, sample);
  if (found == evaluation.sample.end() || *found != sample) return "";
  const auto i = static_cast<std::size_t>(found - evaluation.sample.begin());
  const auto first = i * static_cast<std::size_t>(evaluation.top_k);
  const auto name = [&](std::int32_t c) {
    return escape_html(figures.classes[static_cast<std::size_t>(c)]);
  };
  const auto share = [&](std::size_t rank) {
    return " " + share_html(static_cast<double>(evaluation.probability[first + rank]));
  };
  std::string answer = name(evaluation.top[first]) + share(0);
  if (evaluation.label[i] < 0) return answer;
  if (evaluation.label[i] != evaluation.top[first]) {
    return name(evaluation.label[i]) + " " + share_html(std::exp(-evaluation.loss[i])) +
           " <span class='as'>taken for</span> " + answer;
  }
  if (evaluation.top_k < 2) return answer;
  return answer + " <span class='as'>right; second guess</span> " +
         name(evaluation.top[first + 1]) + share(1);
}

/// The colours of the maps, from little to much.
std::string scale_html() {
  constexpr std::size_t kStops = 16;
  std::string stops;
  for (std::size_t i = 0; i < kStops; ++i) {
    const Rgb& color = heat_colors()[i * (heat_colors().size() - 1) / (kStops - 1)];
    stops += formatted(",#%02x%02x%02x", color[0], color[1], color[2]);
  }
  return "<p class='scale'>little <i style='background:linear-gradient(90deg" + stops +
         ")'></i> much</p>\n";
}

}  // namespace

std::string mistakes_section(const Figures& figures) {
  constexpr std::size_t kMost = 18;
  const std::vector<Mistake> surest = surest_mistakes(figures.headline, kMost);
  if (surest.empty()) return "";
  PagePictures pictures;
  return "<section class='card'><h2>Mistakes</h2>\n<p class='lead'>Beside a class is the "
         "probability that the network gave it.</p>\n" +
         gallery(figures, "Most confident mistakes", surest, pictures) +
         gallery(figures, "Worst mistakes: the true class least expected",
                 worst_mistakes(figures.headline, kMost), pictures) +
         "</section>\n";
}

std::string heatmaps_section(const Figures& figures) {
  if (figures.input.heatmaps.empty()) return "";
  PagePictures pictures;
  std::string out =
      "<section class='card'><h2>What the network looks at</h2>\n<p class='lead'>In its surest "
      "mistakes, then in its surest right answers. <b>Evidence</b> (Grad-CAM): the places that "
      "speak for a class; the two maps of a picture share one scale. <b>Spatial gate</b>: how much "
      "of each place the network lets through, from 0 (nothing) to 1 (all of it). <b>Selected "
      "channels</b>: where it finds the features, such as edges, colours or parts, that it keeps "
      "for this picture. Stage 2 sees details, stage 4 the whole. Gates and channels are coloured "
      "from the least to the most of their own map.</p>\n" +
      scale_html();
  for (const Heatmap& heatmap : figures.input.heatmaps) {
    const std::string path = figures.input.path(heatmap.sample);
    out += "<h3>" + answer_html(figures, heatmap.sample) + "<span class='path'>" +
           escape_html(path) + "</span></h3>\n<div class='heat'>\n";
    for (const Heatmap::Panel& panel : heatmap.panels) {
      out += "<figure>" + pictures.html(panel.picture, path + ": " + panel.caption) +
             "<figcaption>" + escape_html(panel.caption) + "</figcaption></figure>\n";
    }
    out += "</div>\n";
  }
  return out + "</section>\n";
}

}  // namespace casvit::trainer
