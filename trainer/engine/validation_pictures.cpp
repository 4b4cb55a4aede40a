#include "trainer/engine/validation_pictures.h"

#include "trainer/report/figure_files.h"
#include "trainer/report/mistakes_figure.h"

namespace casvit::trainer {
namespace {

constexpr std::size_t kMostMistakes = 12;
/// For a screen: the report's are for slides and paper.
constexpr double kScale = 1;

}  // namespace

ValidationPictures validation_pictures(const Evaluation& evaluation, const ReportInput& about,
                                       const PngRenderer& renderer) {
  ValidationPictures pictures;
  pictures.confusion_matrix =
      renderer.render(confusion_svg(ConfusionMatrix(evaluation), about.classes), kScale);
  const std::string mistakes =
      mistakes_svg(surest_mistakes(evaluation, kMostMistakes), about.classes, about.thumbnail);
  if (!mistakes.empty()) {
    pictures.mistakes = renderer.render(mistakes, kScale);
  }
  return pictures;
}

}  // namespace casvit::trainer
