#pragma once

#include <string>

#include "trainer/report/figures.h"

namespace casvit::trainer {

/// index.html: one file that needs no network and no script, for narrow and wide, light and dark.
std::string report_page(const Figures& figures);

/// The style sheet of the page.
std::string page_style();

/// The sections of the page, each empty where there is nothing to show.
std::string headline_section(const Figures& figures);
std::string curves_section(const Figures& figures);
std::string confusion_section(const Figures& figures);
std::string mistakes_section(const Figures& figures);
std::string classes_section(const Figures& figures);
std::string details_section(const Figures& figures);

}  // namespace casvit::trainer
