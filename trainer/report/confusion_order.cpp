#include "trainer/report/confusion_order.h"

#include <algorithm>
#include <numeric>

namespace casvit::trainer {
namespace {

constexpr int kMostClasses = 30;

std::int64_t mistakes_of(const ConfusionMatrix& matrix, int c) {
  return matrix.support(c) + matrix.predicted(c) - 2 * matrix.at(c, c);
}

}  // namespace

std::vector<int> shown_classes(const ConfusionMatrix& matrix) {
  std::vector<int> shown(static_cast<std::size_t>(matrix.classes()));
  std::iota(shown.begin(), shown.end(), 0);
  if (matrix.classes() <= kMostClasses) return shown;
  std::ranges::stable_sort(shown, std::ranges::greater(),
                           [&](int c) { return mistakes_of(matrix, c); });
  shown.resize(kMostClasses);
  std::ranges::sort(shown);
  return shown;
}

std::vector<int> by_mistakes(const ConfusionMatrix& matrix, const std::vector<int>& shown) {
  std::vector<int> order(shown.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::ranges::greater(), [&](int place) {
    return mistakes_of(matrix, shown[static_cast<std::size_t>(place)]);
  });
  return order;
}

std::vector<int> by_confusion(const ConfusionMatrix& matrix, const std::vector<int>& shown) {
  const auto confusion = [&](int a, int b) {
    const int one = shown[static_cast<std::size_t>(a)];
    const int two = shown[static_cast<std::size_t>(b)];
    return matrix.at(one, two) + matrix.at(two, one);
  };
  std::vector<int> left(shown.size());
  std::iota(left.begin(), left.end(), 0);
  std::vector<int> order;
  const auto most_confused_with = [&](int place) {
    return std::ranges::max_element(
        left, {}, [&](int other) { return other == place ? -1 : confusion(place, other); });
  };
  while (!left.empty()) {
    auto next = left.begin();
    if (order.empty()) {
      next = std::ranges::max_element(left, {}, [&](int place) {
        const int other = *most_confused_with(place);
        return other == place ? -1 : confusion(place, other);
      });
    } else {
      next = most_confused_with(order.back());
    }
    order.push_back(*next);
    left.erase(next);
  }
  return order;
}

}  // namespace casvit::trainer
