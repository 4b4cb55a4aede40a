#include "trainer/report/mistakes_figure.h"

#include <algorithm>

#include "trainer/report/base64.h"
#include "trainer/report/chart.h"
#include "trainer/report/short_name.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

constexpr int kColumns = 4;
constexpr int kMargin = 24;
constexpr int kGap = 28;
constexpr int kLine = 16;
constexpr int kTitle = 30;
constexpr int kTextHeight = 2 * kLine;
constexpr std::size_t kLongestName = 17;  ///< with " 100%" no wider than a picture and a gap
constexpr std::size_t kLongestProblem = 24;

std::string text_at(const char* style, int x, int y, const std::string& text) {
  return std::string("<text class='") + style + "' x='" + std::to_string(x) + "' y='" +
         std::to_string(y) + "'>" + escape_html(text) + "</text>";
}

std::string answer(const std::string& name, double probability) {
  return short_name(name, kLongestName) + " " + fixed(100 * probability, 0) + "%";
}

std::string picture_at(int x, int y, const Thumbnail& picture) {
  const std::string box = "' x='" + std::to_string(x) + "' y='" + std::to_string(y) + "' width='" +
                          std::to_string(kThumbnailSide) + "' height='" +
                          std::to_string(kThumbnailSide) + "'";
  if (picture.bytes.empty()) {
    return "<rect class='cv-tint" + box + "/>" +
           text_at("cv-tick", x + 8, y + kThumbnailSide / 2,
                   short_name("no picture: " + picture.problem, kLongestProblem));
  }
  return "<image href='data:" + escape_html(picture.media_type) + ";base64," +
         base64(picture.bytes) + box + "/>";
}

}  // namespace

std::string mistakes_svg(std::span<const Mistake> mistakes, const std::vector<std::string>& classes,
                         const std::function<Thumbnail(std::uint64_t sample)>& thumbnail) {
  if (mistakes.empty()) return "";
  const auto count = static_cast<int>(mistakes.size());
  const int columns = std::min(count, kColumns);
  const int rows = (count + columns - 1) / columns;
  const int tile_width = kThumbnailSide + kGap;
  const int tile_height = kThumbnailSide + kTextHeight + kGap;
  std::string out = text_at("cv-title", kMargin, kMargin + 12,
                            "Most confident mistakes: true class, and taken for");
  for (int i = 0; i < count; ++i) {
    const Mistake& mistake = mistakes[static_cast<std::size_t>(i)];
    const int x = kMargin + i % columns * tile_width;
    const int y = kMargin + kTitle + i / columns * tile_height;
    const int below = y + kThumbnailSide + kLine;
    const auto name = [&](int c) { return classes[static_cast<std::size_t>(c)]; };
    out += picture_at(x, y, thumbnail(mistake.sample));
    out += text_at("cv-name", x, below, answer(name(mistake.label), mistake.label_probability));
    out += text_at("cv-tick", x, below + kLine,
                   answer(name(mistake.predicted), static_cast<double>(mistake.probability)));
    out += '\n';
  }
  constexpr int kLeastWidth = 400;  // the title's
  return svg_file(std::max(kLeastWidth, 2 * kMargin + columns * tile_width - kGap),
                  2 * kMargin + kTitle + rows * tile_height - kGap, out);
}

}  // namespace casvit::trainer
