#include "dataio/commands/damaged_report.h"

#include <iostream>

namespace casvit::dataio {
namespace {

constexpr std::size_t kDamagedShown = 20;

}  // namespace

void complain(const std::string& message) {
  std::cerr << "casvit-pack: " << message << "\n" << std::flush;
}

void complain_about(const std::vector<DamagedSample>& damaged, const std::string& where) {
  for (std::size_t i = 0; i < damaged.size() && i < kDamagedShown; ++i)
    complain(damaged[i].message);
  if (damaged.size() > kDamagedShown) {
    complain(where + ": and " + std::to_string(damaged.size() - kDamagedShown) +
             " more samples; --json lists them all");
  }
}

nlohmann::ordered_json damaged_json(const std::vector<DamagedSample>& damaged) {
  auto list = nlohmann::ordered_json::array();
  for (const DamagedSample& sample : damaged) {
    list.push_back({{"file", sample.file},
                    {"sample", sample.sample},
                    {"source", sample.source},
                    {"message", sample.message}});
  }
  return list;
}

}  // namespace casvit::dataio
