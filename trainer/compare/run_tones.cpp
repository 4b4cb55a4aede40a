#include "trainer/compare/run_tones.h"

#include <array>

namespace casvit::trainer {
namespace {

constexpr std::size_t kColours = 6;
constexpr std::array<const char*, kColours> kLight{"#0068a5", "#cf5600", "#007d5b",
                                                   "#b03f87", "#1d2421", "#2f93c9"};
constexpr std::array<const char*, kColours> kDark{"#4f9fdc", "#f08a4b", "#3cc496",
                                                  "#e58fc4", "#e9ecea", "#a3daf6"};

std::string rules(const std::array<const char*, kColours>& colours) {
  std::string out;
  for (std::size_t i = 0; i < kColours; ++i) {
    const std::string tone = ".cv-run" + std::to_string(i + 1);
    out.append(".cv-line").append(tone).append("{stroke:").append(colours[i]);
    out.append("}.cv-dot").append(tone).append("{fill:").append(colours[i]).append("}\n");
  }
  return out;
}

}  // namespace

std::string run_tone(std::size_t index) {
  return "run" + std::to_string(index % kColours + 1) + (index >= kColours ? " cv-dashed" : "");
}

std::string run_swatch(std::size_t index) {
  return "<svg class='swatch' viewBox='0 0 28 10' aria-hidden='true'><path class='cv-line cv-" +
         run_tone(index) + "' d='M1 5L27 5'/></svg>";
}

std::string run_tones_style() {
  return "\n.cv-dashed{stroke-dasharray:7 "
         "4}\n.cv-tag{font-weight:600;paint-order:stroke;stroke:var(--card);stroke-width:3px}\n" +
         rules(kLight) + "@media screen and (prefers-color-scheme:dark){\n" + rules(kDark) + "}\n";
}

}  // namespace casvit::trainer
