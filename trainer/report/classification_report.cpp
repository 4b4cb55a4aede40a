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

std::string column(const std::string& text) { return " " + right_aligned(text, kColumn); }

std::string row(const std::string& name, const Scores& scores, int width) {
  return right_aligned(name, width) + " " + column(fixed(scores.precision, kDigits)) +
         column(fixed(scores.recall, kDigits)) + column(fixed(scores.f1, kDigits)) +
         column(std::to_string(scores.support)) + "\n";
}

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

  std::string out = right_aligned("", width) + " ";
  for (const char* heading : {"precision", "recall", "f1-score", "support"}) out += column(heading);
  out += "\n\n";
  for (std::size_t c = 0; c < names.size(); ++c) out += row(names[c], scores.classes[c], width);
  out += "\n" + right_aligned("accuracy", width) + " " + column("") + column("") +
         column(fixed(scores.accuracy, kDigits)) + column(std::to_string(scores.macro.support)) +
         "\n";
  out += row("macro avg", scores.macro, width);
  out += row(last_heading, scores.weighted, width);
  return out;
}

}  // namespace casvit::trainer
