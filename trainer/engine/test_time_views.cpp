#include "trainer/engine/test_time_views.h"

#include <sstream>

#include "trainer/error.h"

namespace casvit::trainer {

std::vector<dataio::EvalView> test_time_views(const std::string& list) {
  using Place = dataio::EvalView::Place;
  if (list.empty()) {
    return {};
  }
  bool mirrored = false;
  bool upside_down = false;
  bool corners = false;
  std::istringstream words(list + ",");
  for (std::string word; std::getline(words, word, ',');) {
    bool* asked = word == "hflip"       ? &mirrored
                  : word == "vflip"     ? &upside_down
                  : word == "five-crop" ? &corners
                                        : nullptr;
    if (asked == nullptr || *asked) {
      throw ConfigError(
          "--tta " + list + ": " +
          (asked == nullptr ? "'" + word + "' is none of" : word + " is there twice;") +
          " hflip, vflip, five-crop, separated by commas");
    }
    *asked = true;
  }
  std::vector<dataio::EvalView> views;
  for (const bool down : {false, true}) {
    for (const bool mirror : {false, true}) {
      for (const Place place : {Place::kCentre, Place::kTopLeft, Place::kTopRight,
                                Place::kBottomLeft, Place::kBottomRight}) {
        if ((upside_down || !down) && (mirrored || !mirror) &&
            (corners || place == Place::kCentre)) {
          views.push_back({place, mirror, down});
        }
      }
    }
  }
  return views;
}

}  // namespace casvit::trainer
