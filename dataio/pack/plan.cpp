#include "dataio/pack/plan.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "dataio/container/class_names.h"
#include "dataio/container/display.h"
#include "dataio/container/stream_hash.h"
#include "dataio/error.h"
#include "dataio/pack/image_folder.h"
#include "dataio/pack/label_list.h"
#include "dataio/pack/tar_source.h"

namespace casvit::dataio {
namespace {

constexpr std::size_t kIgnoredExamples = 5;
constexpr std::chrono::milliseconds kTick{100};

template <typename Folder>
void merge_ignored(const Folder& folder, const std::string& prefix, PackPlan& plan) {
  plan.ignored += folder.ignored;
  for (const std::string& path : folder.ignored_examples) {
    if (plan.ignored_examples.size() < kIgnoredExamples) {
      plan.ignored_examples.push_back(prefix + path);
    }
  }
}

std::vector<std::string> merged_classes(const std::vector<ImageFolder>& folders) {
  std::vector<std::string> all;
  for (const ImageFolder& folder : folders) {
    all.insert(all.end(), folder.classes.begin(), folder.classes.end());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

void add_candidates(ImageFolder&& folder, const std::string& prefix, std::uint32_t part,
                    PackPlan& plan) {
  std::vector<std::int32_t> merged;  // this folder's label -> the merged one
  for (const std::string& name : folder.classes) {
    const auto at = std::lower_bound(plan.classes.begin(), plan.classes.end(), name);
    merged.push_back(static_cast<std::int32_t>(at - plan.classes.begin()));
  }
  plan.candidates.reserve(plan.candidates.size() + folder.images.size());
  for (FolderImage& image : folder.images) {
    Candidate candidate;
    candidate.path = prefix.empty() ? std::move(image.path) : prefix + image.path;
    candidate.label = merged[static_cast<std::size_t>(image.label)];
    candidate.part = part;
    plan.candidates.push_back(std::move(candidate));
  }
  merge_ignored(folder, prefix, plan);
}

bool is_list(const std::string& path) {
  const std::string extension = std::filesystem::path(path).extension().string();
  return extension == ".csv" || extension == ".tsv" || extension == ".txt";
}

bool is_archive(const std::string& path) {
  return std::filesystem::path(path).extension() == ".tar";
}

void check_one_source(const PackOptions& options) {
  if (options.more_sources.empty()) return;
  std::vector<std::string> all = options.more_sources;
  all.push_back(options.source);
  if (!std::all_of(all.begin(), all.end(), is_archive)) {
    throw UsageError("several sources can be packed together only where all are .tar archives");
  }
}

PackPlan list_source(const PackOptions& options, const OnListed& on_listed) {
  check_one_source(options);
  std::error_code error;
  const bool folder = std::filesystem::is_directory(options.source, error);
  if (!folder && is_list(options.source)) {
    return plan_from_list(options.source, options.list_root, on_listed);
  }
  if (!options.list_root.empty()) {
    throw UsageError("--root goes with a list of pictures (.csv, .tsv or .txt)");
  }
  if (folder || !is_archive(options.source)) return plan_from_folder(options.source, on_listed);
  std::vector<std::string> archives{options.source};
  archives.insert(archives.end(), options.more_sources.begin(), options.more_sources.end());
  return plan_from_archives(archives, on_listed);
}

}  // namespace

PackPlan make_plan(const PackOptions& options, const std::function<void(std::uint64_t)>& tick) {
  std::uint64_t listed = 0;
  std::chrono::steady_clock::time_point next;
  PackPlan plan = list_source(options, [&] {
    ++listed;
    const auto now = std::chrono::steady_clock::now();
    if (!tick || now < next) return;
    tick(listed);
    next = now + kTick;
  });
  if (plan.divided && !options.split.empty()) {
    throw UsageError("--split: " + display_path(options.source) +
                     " is split already (train, val, ...): leave --split out, or name one of its "
                     "parts");
  }
  const std::string problem = class_names_problem(plan.classes);
  if (!problem.empty()) throw UsageError(display_path(options.source) + ": " + problem);
  assign_split(options, plan);
  return plan;
}

PackPlan plan_from_folder(const std::string& root, const OnListed& on_listed) {
  const SplitFolders split = find_split_folders(root, on_listed);
  const std::vector<SplitFolder>& parts = split.parts;
  PackPlan plan;
  plan.root = root;
  plan.divided = !parts.empty();
  std::vector<ImageFolder> folders;
  if (parts.empty()) {
    folders.push_back(scan_image_folder(root, on_listed));
    plan.classes = folders[0].classes;
    plan.parts = {"all"};
    add_candidates(std::move(folders[0]), "", 0, plan);
    return plan;
  }
  merge_ignored(split, "", plan);
  for (const SplitFolder& part : parts) {
    folders.push_back(scan_image_folder(root + "/" + part.folder, on_listed));
  }
  plan.classes = merged_classes(folders);
  for (std::size_t p = 0; p < parts.size(); ++p) {
    plan.parts.push_back(parts[p].split);
    add_candidates(std::move(folders[p]), parts[p].folder + "/", static_cast<std::uint32_t>(p),
                   plan);
  }
  return plan;
}

void assign_split(const PackOptions& options, PackPlan& plan) {
  if (options.split.empty()) return;
  std::vector<std::int32_t> labels;
  labels.reserve(plan.candidates.size());
  // Not stratified: all pictures are dealt as those of one class would be.
  for (const Candidate& candidate : plan.candidates) {
    labels.push_back(options.stratify ? candidate.label : 0);
  }
  const std::vector<std::string> classes =
      options.stratify ? plan.classes : std::vector<std::string>{""};
  const std::vector<std::size_t> parts =
      stratified_split(labels, classes, options.split, options.seed);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    plan.candidates[i].part = static_cast<std::uint32_t>(parts[i]);
  }
  plan.parts.clear();
  for (const SplitShare& share : options.split) plan.parts.push_back(share.name);
}

std::uint64_t plan_hash(const PackPlan& plan) {
  StreamHash hash;
  const auto add = [&hash](const void* data, std::size_t size) { hash.add(data, size); };
  const auto add_text = [&add](const std::string& text) {
    const std::uint64_t size = text.size();
    add(&size, sizeof size);
    add(text.data(), size);
  };
  for (const auto* names : {&plan.archives, &plan.classes, &plan.parts}) {
    for (const std::string& name : *names) add_text(name);
    add_text("");
  }
  for (const Candidate& candidate : plan.candidates) {
    add_text(candidate.path);
    add(&candidate.label, sizeof candidate.label);
    add(&candidate.part, sizeof candidate.part);
    add(&candidate.archive, sizeof candidate.archive);
    add(&candidate.offset, sizeof candidate.offset);
    add(&candidate.bytes, sizeof candidate.bytes);
  }
  return hash.digest();
}

void check_classes_filled(const PackOptions& options, const PackPlan& plan,
                          const std::vector<std::vector<std::uint64_t>>& counts,
                          const std::function<std::string(std::int32_t)>& rejected) {
  for (std::size_t part = 0; part < plan.parts.size(); ++part) {
    const std::string where =
        plan.parts.size() > 1 ? "in the part '" + plan.parts[part] + "' " : "";
    const auto& here = counts[part];
    if (std::all_of(here.begin(), here.end(), [](std::uint64_t n) { return n == 0; })) {
      throw UsageError("there is no usable picture " + where + "in " +
                       display_path(options.source) + rejected(0));
    }
    const auto empty = std::find(here.begin(), here.end(), 0U);
    if (empty == here.end() || options.allow_empty_classes) continue;
    const auto label = static_cast<std::int32_t>(empty - here.begin());
    throw UsageError("the class '" + display_path(plan.classes[static_cast<std::size_t>(label)]) +
                     "' has no usable picture " + where + "in " + display_path(options.source) +
                     rejected(label) +
                     "; remove its folder, add pictures, or pass --allow-empty-classes");
  }
}

}  // namespace casvit::dataio
