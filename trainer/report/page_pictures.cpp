#include "trainer/report/page_pictures.h"

#include "trainer/report/base64.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

/// A picture larger than that is no thumbnail, and would crowd out others.
constexpr std::size_t kMostBytesOfOne = 48 << 10;

std::string placeholder(const std::string& why) {
  return "<span class='missing'>" + escape_html(why) + "</span>";
}

}  // namespace

std::string PagePictures::html(const Thumbnail& thumbnail, const std::string& description) {
  if (thumbnail.bytes.empty()) {
    return placeholder("no picture: " +
                       (thumbnail.problem.empty() ? "it was not read" : thumbnail.problem));
  }
  if (thumbnail.bytes.size() > kMostBytesOfOne || thumbnail.bytes.size() > left_) {
    return placeholder("too large to be shown here");
  }
  left_ -= thumbnail.bytes.size();
  return "<img alt='" + escape_html(description) +
         "' src='data:" + escape_html(thumbnail.media_type) + ";base64," + base64(thumbnail.bytes) +
         "'>";
}

std::string share_html(double share) {
  return (share > 0 && share < 0.001 ? "&lt;0.1" : fixed(100 * share, 1)) + "%";
}

}  // namespace casvit::trainer
