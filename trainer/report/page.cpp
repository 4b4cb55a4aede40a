#include "trainer/report/page.h"

#include "trainer/report/base64.h"
#include "trainer/report/chart.h"
#include "trainer/report/page_assets.h"
#include "trainer/report/text.h"

namespace casvit::trainer {

std::string report_page(const Figures& figures) {
  const std::string title = escape_html(figures.input.title);
  // The page promises to need no network and to run nothing but its own script: this makes the
  // browser keep the promise, whatever names and paths hold.
  const std::string policy =
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-" +
      base64(bytes_of_hexadecimal(page_script_sha256())) + "'";
  return "<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
         "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
         "<meta name='color-scheme' content='light dark'>\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"" +
         policy + "\">\n<link rel='icon' href='data:,'>\n<title>" + title + "</title>\n<style>" +
         std::string(page_style()) + chart_style() +
         "</style>\n</head>\n<body>\n<main>\n<header><p class='overline'>casvit report</p><h1>" +
         title + "</h1></header>\n" + under_way_section(figures) + headline_section(figures) + training_section(figures) +
         confusion_section(figures) + mistakes_section(figures) + heatmaps_section(figures) +
         classes_section(figures) + calibration_section(figures) + cost_section(figures) +
         details_section(figures) + "</main>\n<script>" + std::string(page_script()) +
         "</script>\n</body>\n</html>\n";
}

}  // namespace casvit::trainer
