#include "trainer/report/page.h"

#include "trainer/report/chart.h"
#include "trainer/report/curves.h"
#include "trainer/report/text.h"

namespace casvit::trainer {

std::string curves_section(const Figures& figures) {
  std::string out;
  for (const Chart& chart : training_charts(figures.input.history)) {
    out += "<figure><svg viewBox='0 0 " + std::to_string(kChartWidth) + " " +
           std::to_string(kChartHeight) + "' role='img' aria-label='" + escape_html(chart.title) +
           "'>" + chart_content(chart) + "</svg></figure>\n";
  }
  if (out.empty()) return "";
  return "<section class='card'><h2>Training</h2>\n<div class='charts'>\n" + out +
         "</div></section>\n";
}

std::string report_page(const Figures& figures) {
  const std::string title = escape_html(figures.input.title);
  return "<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
         "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
         "<meta name='color-scheme' content='light dark'>\n"
         // The page promises to need no network: this makes the browser keep the promise.
         R"(<meta http-equiv="Content-Security-Policy" content="default-src 'none'; )"
         R"(style-src 'unsafe-inline'; img-src data:">)"
         "\n"
         "<link rel='icon' href='data:,'>\n<title>" +
         title + "</title>\n<style>" + page_style() + chart_style() +
         "</style>\n</head>\n<body>\n<main>\n<header><p class='overline'>casvit report</p><h1>" +
         title + "</h1></header>\n" + headline_section(figures) + curves_section(figures) +
         confusion_section(figures) + mistakes_section(figures) + classes_section(figures) +
         details_section(figures) + "</main>\n</body>\n</html>\n";
}

}  // namespace casvit::trainer
