// Pictures on the page: mistakes, and what the network looks at.

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
  std::string out = "<section class='card'><h2>What the network looks at</h2>\n";
  for (const Heatmap& heatmap : figures.input.heatmaps) {
    const std::string path = figures.input.path(heatmap.sample);
    out += "<h3>" + escape_html(path) + "</h3>\n<div class='heat'>\n";
    for (const Heatmap::Panel& panel : heatmap.panels) {
      out += "<figure>" + pictures.html(panel.picture, path + ": " + panel.caption) +
             "<figcaption>" + escape_html(panel.caption) + "</figcaption></figure>\n";
    }
    out += "</div>\n";
  }
  return out + "</section>\n";
}

}  // namespace casvit::trainer
