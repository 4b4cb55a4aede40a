#include "dataio/commands/rejected_report.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "dataio/container/display.h"
#include "dataio/container/pending_file.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

nlohmann::ordered_json entry_json(const RejectedFile& file) {
  return {{"path", file.path}, {"reason", file.reason}};
}

std::string line_of(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

/// As json_text, but written while it is made: a million entries need not fit in memory twice.
void write_report(std::ostream& out, const std::vector<RejectedFile>& rejected) {
  auto reasons = nlohmann::ordered_json::object();
  for (const auto& [reason, count] : count_reasons(rejected)) reasons[reason] = count;
  out << "{\n  \"count\": " << rejected.size() << ",\n  \"reasons\": " << line_of(reasons)
      << ",\n  \"rejected\": [\n";
  for (std::size_t i = 0; i < rejected.size(); ++i) {
    out << "    " << line_of(entry_json(rejected[i])) << (i + 1 < rejected.size() ? ",\n" : "\n");
  }
  out << "  ]\n}\n";
}

}  // namespace

nlohmann::ordered_json rejected_json(const std::vector<RejectedFile>& rejected) {
  auto list = nlohmann::ordered_json::array();
  for (const RejectedFile& file : rejected) list.push_back(entry_json(file));
  return list;
}

std::vector<std::pair<std::string, std::uint64_t>> count_reasons(
    const std::vector<RejectedFile>& rejected) {
  std::map<std::string, std::uint64_t> counts;
  for (const RejectedFile& file : rejected) ++counts[file.reason];
  std::vector<std::pair<std::string, std::uint64_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return sorted;
}

std::string write_rejected_report(const std::string& output,
                                  const std::vector<RejectedFile>& rejected) {
  std::string path = output + ".rejected.json";
  if (rejected.empty()) {
    std::error_code error;
    std::filesystem::remove(path, error);
    if (error) {
      throw OutputError("cannot remove " + display_path(path) +
                        ", the report of an earlier run: " + error.message());
    }
    return path;
  }
  // The same name each time: what a killed packing left is taken away by the one that goes on.
  PendingFile pending(path, part_file_of(path));
  std::error_code nothing_there;
  std::filesystem::remove(pending.temporary_path(), nothing_there);
  std::ofstream file(pending.temporary_path(), std::ios::binary);
  write_report(file, rejected);
  file.close();
  if (!file) throw OutputError("cannot write " + display_path(path));
  pending.publish();
  return path;
}

}  // namespace casvit::dataio
