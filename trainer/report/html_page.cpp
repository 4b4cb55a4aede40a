#include "trainer/report/html_page.h"

#include "trainer/report/base64.h"
#include "trainer/report/chart.h"
#include "trainer/report/page_assets.h"
#include "trainer/report/text.h"

namespace casvit::trainer {

std::string html_page(const HtmlPage& page) {
  const std::string title = escape_html(page.title);
  const std::string policy =
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-" +
      base64(bytes_of_hexadecimal(page.script_sha256)) + "'";
  return "<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
         "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
         "<meta name='color-scheme' content='light dark'>\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"" +
         policy + "\">\n<link rel='icon' href='data:,'>\n<title>" + title + "</title>\n<style>" +
         std::string(page_style()) + chart_style() + page.style +
         "</style>\n</head>\n<body>\n<main>\n<header><p class='overline'>" +
         escape_html(page.overline) + "</p><h1>" + title + "</h1></header>\n" + page.body +
         "</main>\n<script>" + std::string(page.script) + "</script>\n</body>\n</html>\n";
}

}  // namespace casvit::trainer
