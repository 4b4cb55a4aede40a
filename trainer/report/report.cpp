#include "trainer/report/report.h"

#include "trainer/report/atomic_file.h"
#include "trainer/report/change_tables.h"
#include "trainer/report/classification_report.h"
#include "trainer/report/csv_tables.h"
#include "trainer/report/figure_files.h"
#include "trainer/report/figures.h"
#include "trainer/report/page.h"
#include "trainer/report/png.h"
#include "trainer/report/predictions.h"
#include "trainer/report/report_json.h"

namespace casvit::trainer {

WrittenReport write_report(const std::string& folder, const ReportInput& input) {
  const Figures figures(input);
  const std::string report = folder + "/report";
  WrittenReport written{report + "/index.html", ""};
  make_folder(report);
  const auto write = [&](const std::string& name, const std::string& content) {
    write_file_atomically(report + "/" + name, content);
  };
  write("report.json", report_json(figures));
  write("classification_report.txt", classification_report(figures.scores, figures.classes));
  write("confusion_matrix.csv", confusion_csv(figures.matrix, figures.classes));
  write("per_class.csv", per_class_csv(figures));
  write("calibration.csv", calibration_csv(figures.best().calibration));
  write("predictions.csv", predictions_csv(figures.headline, figures.classes, input.path));
  if (figures.against) {
    write("changed_pictures.csv", changed_pictures_csv(figures));
    write("class_changes.csv", class_changes_csv(figures));
  }
  const PngRenderer renderer;
  for (const FigureFile& figure : figure_files(figures)) {
    write(figure.name + ".svg", figure.svg);
    if (!written.note.empty()) continue;
    try {
      write(figure.name + ".png", renderer.render(figure.svg));
    } catch (const DrawingError& error) {
      written.note = std::string("no PNG of the figures beside the SVG: ") + error.what();
    }
  }
  // Last: where there is a page, there is all that it speaks of.
  write("index.html", report_page(figures));
  return written;
}

}  // namespace casvit::trainer
