#pragma once

#include <string>

#include "trainer/report/figures.h"

namespace casvit::trainer {

/// index.html: one file that needs no network, and no script to be read, for narrow and wide, light
/// and dark, and paper.
std::string report_page(const Figures& figures);

/// The sections of the page, each empty where there is nothing to show.
/// How far a run is that goes on, and a switch that reloads the page.
std::string under_way_section(const Figures& figures);
std::string headline_section(const Figures& figures);
/// The same pictures by another model.
std::string against_section(const Figures& figures);
std::string training_section(const Figures& figures);
std::string confusion_section(const Figures& figures);
std::string mistakes_section(const Figures& figures);
/// What the network looks at.
std::string heatmaps_section(const Figures& figures);
std::string classes_section(const Figures& figures);
std::string calibration_section(const Figures& figures);
std::string cost_section(const Figures& figures);
std::string details_section(const Figures& figures);

}  // namespace casvit::trainer
