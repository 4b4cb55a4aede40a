#include "markup.h"

#include <algorithm>
#include <set>
#include <vector>

namespace casvit::trainer {
namespace {

/// Elements of HTML that have no end.
bool is_void(const std::string& name) {
  static const std::set<std::string> names{"meta", "link", "br", "hr", "img", "input", "wbr"};
  return names.contains(name);
}

/// Index of the '>' that ends the tag which begins at `start`, quotes passed over.
std::size_t tag_end(const std::string& document, std::size_t start) {
  char quote = '\0';
  for (std::size_t i = start; i < document.size(); ++i) {
    const char c = document[i];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '<' && i > start) {
      return std::string::npos;
    } else if (c == '>') {
      return i;
    }
  }
  return std::string::npos;
}

}  // namespace

std::string markup_problem(const std::string& document) {
  std::vector<std::string> open;
  for (std::size_t start = document.find('<'); start != std::string::npos;
       start = document.find('<', start)) {
    const std::size_t end = tag_end(document, start);
    if (end == std::string::npos) return "a tag does not end: " + document.substr(start, 60);
    const std::string tag = document.substr(start + 1, end - start - 1);
    start = end + 1;
    if (tag.starts_with("!")) continue;
    const bool closing = tag.starts_with("/");
    const std::string rest = tag.substr(closing ? 1 : 0);
    const std::string name = rest.substr(0, rest.find_first_of(" /\n"));
    if (name.empty() || !std::ranges::all_of(name, [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        })) {
      return "no name of an element: " + tag;
    }
    if (closing) {
      if (open.empty() || open.back() != name) return "closed without being open: " + name;
      open.pop_back();
    } else if (!tag.ends_with("/") && !is_void(name)) {
      open.push_back(name);
      if (name == "style" || name == "script") start = document.find("</" + name, start);
    }
  }
  return open.empty() ? "" : "never closed: " + open.back();
}

}  // namespace casvit::trainer
