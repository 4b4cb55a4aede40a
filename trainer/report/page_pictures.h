#pragma once

#include <cstddef>
#include <string>

#include "trainer/report/report.h"

namespace casvit::trainer {

/// Puts thumbnails into a part of a page, as long as there is room; says why where one is missing.
class PagePictures {
 public:
  /// @param most_bytes of all of them, before base64
  explicit PagePictures(std::size_t most_bytes = std::size_t{2} << 20) : left_(most_bytes) {}

  /// @param description for those who do not see it
  std::string html(const Thumbnail& thumbnail, const std::string& description);

 private:
  std::size_t left_;
};

/// "93.4%" of 0.934; "&lt;0.1%" of what would read as nothing.
std::string share_html(double share);

}  // namespace casvit::trainer
