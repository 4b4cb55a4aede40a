#include "trainer/engine/replacement_log.h"

#include <map>
#include <sstream>

namespace casvit::trainer {

// A line a replacement: the sample, a blank, and what to say of it. Reasons are one line each:
// paths in them are escaped for display.
ReplacementLog::News ReplacementLog::gather(const std::vector<dataio::Replacement>& mine,
                                            launch::Communicator& communicator) {
  std::string text;
  for (const dataio::Replacement& replacement : mine) {
    text += std::to_string(replacement.sample) + " warning: " + replacement.reason + "; sample " +
            std::to_string(replacement.by) + " took its place\n";
  }
  News news;
  std::map<std::uint64_t, std::string> found;
  for (const std::string& part : launch::all_gather_strings(communicator, text)) {
    std::istringstream lines(part);
    for (std::string line; std::getline(lines, line);) {
      news.count += 1;
      found.try_emplace(std::stoull(line), line.substr(line.find(' ') + 1));
    }
  }
  for (const auto& [sample, line] : found) {
    if (named_.insert(sample).second) {
      news.lines.push_back(line);
    }
  }
  return news;
}

}  // namespace casvit::trainer
