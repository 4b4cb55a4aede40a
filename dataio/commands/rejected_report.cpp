#include "dataio/commands/rejected_report.h"

#include <filesystem>
#include <fstream>

#include "dataio/commands/json_text.h"
#include "dataio/container/display.h"
#include "dataio/container/pending_file.h"
#include "dataio/error.h"

namespace casvit::dataio {

nlohmann::ordered_json rejected_json(const std::vector<RejectedFile>& rejected) {
  auto list = nlohmann::ordered_json::array();
  for (const RejectedFile& file : rejected) {
    list.push_back({{"path", file.path}, {"reason", file.reason}});
  }
  return list;
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
  PendingFile pending(path);
  std::ofstream file(pending.temporary_path(), std::ios::binary);
  file << json_text({{"rejected", rejected_json(rejected)}});
  file.close();
  if (!file) throw OutputError("cannot write " + display_path(path));
  pending.publish();
  return path;
}

}  // namespace casvit::dataio
