#include "launch/preflight/agreement.h"

#include <algorithm>
#include <cstddef>
#include <map>

namespace casvit::launch {
namespace {

constexpr std::size_t kHostsNamed = 3;

}  // namespace

std::vector<int> dissenters(const std::vector<std::string>& values) {
  std::map<std::string, std::size_t> votes;
  for (const std::string& value : values) ++votes[value];
  // The first of those with the most: max_element takes the first of equals, in rank order.
  const auto most = std::max_element(
      values.begin(), values.end(),
      [&](const std::string& a, const std::string& b) { return votes.at(a) < votes.at(b); });
  std::vector<int> others;
  for (std::size_t rank = 0; rank < values.size(); ++rank) {
    if (values[rank] != *most) others.push_back(static_cast<int>(rank));
  }
  return others;
}

std::string ranks_text(const std::vector<int>& ascending) {
  std::string text = ascending.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < ascending.size();) {
    std::size_t last = i;
    while (last + 1 < ascending.size() && ascending[last + 1] == ascending[last] + 1) ++last;
    text += (i == 0 ? "" : ", ") + std::to_string(ascending[i]);
    if (last > i) text += (last == i + 1 ? ", " : "-") + std::to_string(ascending[last]);
    i = last + 1;
  }
  return text;
}

std::string ranks_and_hosts_text(const std::vector<int>& ascending,
                                 const std::vector<std::string>& hosts) {
  std::vector<std::string> named;
  for (const int rank : ascending) {
    const std::string& host = hosts.at(static_cast<std::size_t>(rank));
    if (std::ranges::find(named, host) == named.end()) named.push_back(host);
  }
  std::string text = ranks_text(ascending);
  if (named.size() == 1) return text + " on " + named.front();
  text += " (";
  for (std::size_t i = 0; i < std::min(named.size(), kHostsNamed); ++i) {
    text += (i == 0 ? "" : ", ") + named[i];
  }
  return text + (named.size() > kHostsNamed ? ", ...)" : ")");
}

}  // namespace casvit::launch
