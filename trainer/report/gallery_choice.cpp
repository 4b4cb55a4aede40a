#include "trainer/report/gallery_choice.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace casvit::trainer {

std::vector<std::size_t> gallery_choice(const Evaluation& evaluation) {
  const auto top_k = static_cast<std::size_t>(evaluation.top_k);
  std::vector<std::size_t> places(evaluation.label.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::ranges::stable_sort(places, {}, [&](std::size_t place) {
    const std::int32_t label = evaluation.label[place];
    const bool wrong = label >= 0 && evaluation.top[place * top_k] != label;
    return std::pair(!wrong, evaluation.probability[place * top_k]);
  });
  places.resize(std::min(places.size(), kMostGalleryPictures));
  return places;
}

}  // namespace casvit::trainer
