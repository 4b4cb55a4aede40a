#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trainer/report/evaluation.h"
#include "trainer/report/predictions.h"
#include "trainer/report/report.h"

namespace casvit::trainer {

/// The page has no more bytes, whatever it is given.
constexpr std::size_t kMostGalleryBytes = 5'000'000;

/// What `predict --html` shows.
struct PredictionGallery {
  std::string title;
  const Evaluation& evaluation;
  const std::vector<std::string>& classes;  ///< names; indices where empty
  PathOf path;
  const std::vector<Thumbnail>& thumbnails;  ///< in the order of gallery_choice
  std::vector<std::string> unreadable = {};  ///< pictures without an answer: path and reason
  std::uint64_t ignored = 0;                 ///< files that are no pictures
  std::map<std::string, std::string> facts;  ///< name: value
};

/// A page of its own, as the report's: one file, no network, read without its script too, with
/// which pictures are filtered by class and sorted. Of many pictures those that gallery_choice
/// names first are shown, as many as fit, least sure first; the page says how many.
std::string prediction_gallery_page(const PredictionGallery& gallery);

}  // namespace casvit::trainer
