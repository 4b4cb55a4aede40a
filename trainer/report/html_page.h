#pragma once

#include <string>
#include <string_view>

namespace casvit::trainer {

/// A page of ours: one file that needs no network.
struct HtmlPage {
  std::string title;     ///< any bytes
  std::string overline;  ///< above the title: what kind of page this is
  std::string body;      ///< HTML of the sections
  std::string style;     ///< CSS beyond that of all pages
  std::string_view script;
  std::string_view script_sha256;  ///< 64 hexadecimal digits
};

/// The file. Its Content-Security-Policy keeps browsers from running anything but its script, and
/// from loading anything at all, whatever names and paths hold.
std::string html_page(const HtmlPage& page);

}  // namespace casvit::trainer
