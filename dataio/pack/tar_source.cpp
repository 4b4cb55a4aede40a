#include "dataio/pack/tar_source.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "dataio/container/display.h"
#include "dataio/error.h"
#include "dataio/pack/image_folder.h"
#include "dataio/pack/labels.h"
#include "dataio/pack/tar_archive.h"

namespace casvit::dataio {
namespace {

constexpr std::size_t kIgnoredExamples = 5;
constexpr std::size_t kMaxClassBytes = 4096;
constexpr std::size_t kMaxJsonBytes = 1 << 20;
constexpr const char* kNoLabel = "no label: its archive has neither KEY.cls nor KEY.json for it";

/// "a/b.c/0001.seg.png" is ("a/b.c/0001", "seg.png"), as webdataset's base_plus_ext cuts it.
std::pair<std::string, std::string> key_and_extension(const std::string& name) {
  const std::size_t slash = name.rfind('/');
  const std::size_t dot = name.find('.', slash == std::string::npos ? 0 : slash + 1);
  if (dot == std::string::npos) return {name, ""};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

std::string trimmed(const std::string& text) {
  constexpr const char* kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::optional<std::string> label_in_json(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  for (const char* key : {"label", "cls", "class"}) {
    const auto at = json.find(key);
    if (at == json.end()) continue;
    if (at->is_string()) return at->get<std::string>();
    if (at->is_number_unsigned()) return std::to_string(at->get<std::uint64_t>());
  }
  return std::nullopt;
}

/// One archive's pictures, their labels still texts; "" for none.
struct ArchiveContent {
  std::vector<TarMember> pictures;
  std::vector<std::string> labels;
};

class ArchiveScanner {
 public:
  ArchiveScanner(PackPlan& plan, const OnListed& on_listed) : plan_(plan), on_listed_(on_listed) {}

  ArchiveContent scan(const std::string& path) {
    TarArchive archive(path);
    ArchiveContent content;
    std::unordered_map<std::string, std::string> labels;  // by key
    while (const auto member = archive.next()) take(archive, *member, labels, content);
    for (const TarMember& picture : content.pictures) {
      content.labels.push_back(labels.empty() ? folder_of(path, picture)
                                              : labels[key_and_extension(picture.name).first]);
    }
    return content;
  }

 private:
  void take(const TarArchive& archive, const TarMember& member,
            std::unordered_map<std::string, std::string>& labels, ArchiveContent& content) {
    if (on_listed_) on_listed_();
    const auto [key, extension] = key_and_extension(member.name);
    if (member.is_file && is_picture_by_name(member.name)) {
      content.pictures.push_back(member);
    } else if (member.is_file && extension == "cls") {
      labels[key] = trimmed(archive.read(member, kMaxClassBytes));
    } else if (member.is_file && extension == "json" && member.bytes <= kMaxJsonBytes) {
      const auto label = label_in_json(archive.read(member, kMaxJsonBytes));
      if (label) labels.try_emplace(key, *label);
    } else if (!member.name.empty() && !member.name.ends_with('/')) {
      ignore(member.name);
    }
  }

  void ignore(const std::string& name) {
    ++plan_.ignored;
    if (plan_.ignored_examples.size() < kIgnoredExamples) plan_.ignored_examples.push_back(name);
  }

  static std::string folder_of(const std::string& archive, const TarMember& picture) {
    auto folder = std::filesystem::path(picture.name).parent_path().filename().string();
    if (!folder.empty()) return folder;
    throw UsageError(display_path(archive) + ": the picture " + display_path(picture.name) +
                     " lies in no folder, and the archive holds no labels (KEY.cls, KEY.json)");
  }

  PackPlan& plan_;
  const OnListed& on_listed_;
};

/// "" for one archive; "shard-0001.tar/" for several.
std::vector<std::string> prefixes_of(const std::vector<std::string>& archives) {
  if (archives.size() == 1) return {""};
  std::vector<std::string> prefixes;
  std::set<std::string> seen;
  for (const std::string& path : archives) {
    prefixes.push_back(std::filesystem::path(path).filename().string() + "/");
    if (!seen.insert(prefixes.back()).second) {
      throw UsageError("two archives are called " + display_path(prefixes.back()) +
                       " their pictures could not be told apart; rename one");
    }
  }
  return prefixes;
}

/// Turns label texts into classes; pictures without one are marked as unusable.
void label_candidates(const std::vector<std::string>& texts, PackPlan& plan) {
  std::vector<std::string> known;
  for (const std::string& text : texts) {
    if (!text.empty()) known.push_back(text);
  }
  LabelClasses classes = classes_of_labels(known);
  std::size_t next = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].empty()) {
      plan.unusable.emplace(i, kNoLabel);
    } else {
      plan.candidates[i].label = classes.labels[next++];
    }
  }
  plan.classes = std::move(classes.names);
}

}  // namespace

PackPlan plan_from_archives(const std::vector<std::string>& archives, const OnListed& on_listed) {
  PackPlan plan;
  plan.archives = archives;
  plan.parts = {"all"};
  const std::vector<std::string> prefixes = prefixes_of(archives);
  std::vector<std::string> labels;
  ArchiveScanner scanner(plan, on_listed);
  for (std::size_t a = 0; a < archives.size(); ++a) {
    ArchiveContent content = scanner.scan(archives[a]);
    for (std::size_t i = 0; i < content.pictures.size(); ++i) {
      const TarMember& picture = content.pictures[i];
      Candidate candidate;
      candidate.path = prefixes[a] + picture.name;
      candidate.archive = static_cast<std::uint32_t>(a);
      candidate.offset = picture.offset;
      candidate.bytes = picture.bytes;
      plan.candidates.push_back(std::move(candidate));
      labels.push_back(std::move(content.labels[i]));
    }
  }
  if (plan.candidates.empty()) {
    throw UsageError(display_path(archives[0]) + " holds no pictures by their names");
  }
  label_candidates(labels, plan);
  if (plan.classes.empty()) {
    throw UsageError(display_path(archives[0]) + " holds no labels for its pictures");
  }
  return plan;
}

}  // namespace casvit::dataio
