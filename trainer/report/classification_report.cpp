#include "trainer/report/classification_report.h"

#include <algorithm>

#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

constexpr int kDigits = 4;
constexpr int kColumn = 9;

/// Python's format(text, ">width"): counted in code points.
std::string right_aligned(const std::string& text, int width) {
  const int missing = width - code_points(text);
  return std::string(static_cast<std::size_t>(std::max(missing, 0)), ' ') + text;
}

std::string column(const std::string& text) {
  return std::string(1, ' ').append(right_aligned(text, kColumn));
}

/// Writes rows of one width. Where nothing at all is right scikit-learn counts in floating point
/// (its multilabel_confusion_matrix calls this the pathological case), and the support shows it.
struct Rows {
  int width;
  bool nothing_right;

  std::string support(std::int64_t count) const {
    return column(std::to_string(count) + (nothing_right ? ".0" : ""));
  }
  std::string row(const std::string& name, const Scores& scores) const {
    return right_aligned(name, width) + " " + column(fixed(scores.precision, kDigits)) +
           column(fixed(scores.recall, kDigits)) + column(fixed(scores.f1, kDigits)) +
           support(scores.support) + "\n";
  }
};

}  // namespace

std::string classification_report(const ClassScores& scores,
                                  const std::vector<std::string>& classes) {
  const std::string last_heading = "weighted avg";
  int width = code_points(last_heading);
  std::vector<std::string> names;
  for (const std::string& name : classes) {
    names.push_back(sanitize_utf8(name));
    width = std::max(width, code_points(names.back()));
  }

  const Rows rows{width, scores.accuracy == 0};
  std::string out = right_aligned("", width) + " ";
  for (const char* heading : {"precision", "recall", "f1-score", "support"}) out += column(heading);
  out += "\n\n";
  for (std::size_t c = 0; c < names.size(); ++c) out += rows.row(names[c], scores.classes[c]);
  out += '\n';
  out += right_aligned("accuracy", width) + " " + column("") + column("") +
         column(fixed(scores.accuracy, kDigits)) + rows.support(scores.macro.support) + "\n";
  out += rows.row("macro avg", scores.macro) + rows.row(last_heading, scores.weighted);
  return out;
}

}  // namespace casvit::trainer
