#include "trainer/report/page.h"

#include "trainer/report/html_page.h"
#include "trainer/report/page_assets.h"

namespace casvit::trainer {

std::string report_page(const Figures& figures) {
  const std::string sections =
      under_way_section(figures) + headline_section(figures) + against_section(figures) +
      training_section(figures) + confusion_section(figures) + mistakes_section(figures) +
      heatmaps_section(figures) + classes_section(figures) + calibration_section(figures) +
      cost_section(figures) + details_section(figures);
  return html_page({.title = figures.input.title,
                    .overline = "casvit report",
                    .body = sections,
                    .style = "",
                    .script = page_script(),
                    .script_sha256 = page_script_sha256()});
}

}  // namespace casvit::trainer
