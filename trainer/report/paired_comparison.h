#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trainer/report/bootstrap.h"
#include "trainer/report/comparison.h"
#include "trainer/report/evaluation.h"
#include "trainer/report/judgement.h"

namespace casvit::trainer {

/// One class in the answers of two models.
struct ClassChange {
  std::int64_t support = 0;  ///< pictures of it
  std::int64_t gained = 0;   ///< that the model alone has right
  std::int64_t lost = 0;     ///< and the other alone
  std::int64_t both = 0;     ///< and both

  std::int64_t right() const { return both + gained; }
  std::int64_t right_by_other() const { return both + lost; }
};

/// A model beside another one, on the same pictures. Differences are the model's figure less the
/// other's: above 0 the model is better.
struct PairedComparison {
  Judgement own;
  Judgement other;
  BootstrapIntervals difference;     ///< of top-1, top-5 and macro F1, paired
  Comparison answers;                ///< only_first: the model alone is right
  std::vector<ClassChange> classes;  ///< `[classes]`
  /// Places (in both evaluations) of pictures that the model alone has right, those first of which
  /// the other was surest of its wrong answer; and of those that the other alone has right, by how
  /// sure the model was.
  std::vector<std::size_t> gained, lost;
};

/// @throws std::logic_error where the evaluations are not of the same pictures
PairedComparison paired_comparison(const Evaluation& own, const Evaluation& other);

}  // namespace casvit::trainer
