#include "trainer/checkpoint/run_checkpoints.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include "trainer/error.h"

namespace casvit::trainer {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".safetensors";

/// Names of `*.safetensors`, numbered ones first. Hidden ones are files aside, not checkpoints.
std::vector<std::string> candidate_names(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  if (error == std::errc::no_such_file_or_directory) return names;
  for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (name.ends_with(kSuffix) && !name.starts_with('.')) names.push_back(std::move(name));
  }
  if (error) throw CheckpointError("cannot list folder " + folder + ": " + error.message());
  std::sort(names.begin(), names.end(), [](const std::string& left, const std::string& right) {
    return std::make_tuple(!is_numbered_name(left), left) <
           std::make_tuple(!is_numbered_name(right), right);
  });
  return names;
}

}  // namespace

std::string checkpoint_folder(const std::string& run_folder) {
  return (fs::path(run_folder) / "checkpoints").string();
}

std::string checkpoint_name(const CheckpointInfo& info, CheckpointWriter::Kind kind) {
  const bool is_epoch = kind == CheckpointWriter::Kind::kEpoch;
  std::string number = std::to_string(is_epoch ? info.epoch : info.step);
  const std::size_t width = is_epoch ? 4 : 8;
  if (number.size() < width) number.insert(0, width - number.size(), '0');
  return (is_epoch ? "epoch-" : "step-") + number + std::string(kSuffix);
}

bool is_numbered_name(const std::string& name) {
  std::string_view rest = name;
  for (const std::string_view prefix : {"epoch-", "step-"}) {
    if (!rest.starts_with(prefix) || !rest.ends_with(kSuffix)) continue;
    rest.remove_prefix(prefix.size());
    rest.remove_suffix(kSuffix.size());
    return !rest.empty() && rest.find_first_not_of("0123456789") == std::string_view::npos;
  }
  return false;
}

std::vector<CheckpointFile> list_checkpoints(const std::string& run_folder,
                                             std::vector<std::string>* warnings) {
  const std::string folder = checkpoint_folder(run_folder);
  std::vector<CheckpointFile> files;
  std::set<std::pair<dev_t, ino_t>> seen;
  for (std::string& name : candidate_names(folder)) {
    const std::string path = (fs::path(folder) / name).string();
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 && !seen.emplace(status.st_dev, status.st_ino).second) {
      continue;
    }
    try {
      files.push_back({std::move(name), read_checkpoint_info(path).step});
    } catch (const CheckpointError& error) {
      if (warnings != nullptr) warnings->push_back(error.what());
    }
  }
  // Stable: for equal steps the candidates' order remains, numbered names first.
  std::stable_sort(files.begin(), files.end(),
                   [](const auto& left, const auto& right) { return left.step > right.step; });
  return files;
}

std::optional<std::string> newest_checkpoint(const std::string& run_folder,
                                             std::vector<std::string>* warnings) {
  for (const CheckpointFile& file : list_checkpoints(run_folder, warnings)) {
    const std::string path = (fs::path(checkpoint_folder(run_folder)) / file.name).string();
    try {
      read_checkpoint(path);
      return path;
    } catch (const CheckpointError& error) {
      if (warnings != nullptr) warnings->push_back(error.what());
    }
  }
  return std::nullopt;
}

}  // namespace casvit::trainer
