#include "trainer/report/report.h"

#include "trainer/report/atomic_file.h"
#include "trainer/report/classification_report.h"
#include "trainer/report/curves.h"
#include "trainer/report/figures.h"
#include "trainer/report/page.h"
#include "trainer/report/predictions.h"
#include "trainer/report/report_json.h"

namespace casvit::trainer {

std::string write_report(const std::string& folder, const ReportInput& input) {
  const Figures figures(input);
  const std::string report = folder + "/report";
  make_folder(report);
  const auto write = [&](const std::string& name, const std::string& content) {
    write_file_atomically(report + "/" + name, content);
  };
  write("report.json", report_json(figures));
  write("classification_report.txt", classification_report(figures.scores, figures.classes));
  write("confusion_matrix.csv", confusion_csv(figures.matrix, figures.classes));
  write("predictions.csv", predictions_csv(figures.headline, figures.classes, input.path));
  if (!input.history.steps.empty() || !input.history.epochs.empty()) {
    write("curves.svg", curves_svg(input.history));
  }
  // Last: where there is a page, there is all that it speaks of.
  write("index.html", report_page(figures));
  return report + "/index.html";
}

}  // namespace casvit::trainer
