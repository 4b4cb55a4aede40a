#include "dataio/pack/plan.h"

#include <algorithm>
#include <iterator>

#include "dataio/container/display.h"
#include "dataio/error.h"
#include "dataio/pack/image_folder.h"

namespace casvit::dataio {
namespace {

constexpr std::size_t kIgnoredExamples = 5;

void merge_ignored(const ImageFolder& folder, const std::string& prefix, PackPlan& plan) {
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

void add_candidates(const ImageFolder& folder, const std::string& prefix, std::size_t part,
                    PackPlan& plan) {
  std::vector<std::int32_t> merged;  // this folder's label -> the merged one
  for (const std::string& name : folder.classes) {
    const auto at = std::lower_bound(plan.classes.begin(), plan.classes.end(), name);
    merged.push_back(static_cast<std::int32_t>(at - plan.classes.begin()));
  }
  for (const FolderImage& image : folder.images) {
    Candidate candidate;
    candidate.path = prefix + image.path;
    candidate.label = merged[static_cast<std::size_t>(image.label)];
    candidate.part = part;
    plan.candidates.push_back(std::move(candidate));
  }
  merge_ignored(folder, prefix, plan);
}

/// "; rejected there: Maize/a.jpg is empty (0 bytes)": why a class may have come out empty.
std::string rejected_in(const PackPlan& plan, std::int32_t label) {
  const auto rejected = [label](const Candidate& candidate) {
    return candidate.label == label && !candidate.rejected.empty();
  };
  const auto first = std::find_if(plan.candidates.begin(), plan.candidates.end(), rejected);
  if (first == plan.candidates.end()) return "";
  const auto count = std::count_if(plan.candidates.begin(), plan.candidates.end(), rejected);
  return "; " + std::to_string(count) + " rejected there, the first: " + display_path(first->path) +
         ": " + first->rejected;
}

}  // namespace

PackPlan plan_from_folder(const PackOptions& options) {
  const std::vector<SplitFolder> parts = find_split_folders(options.source);
  PackPlan plan;
  std::vector<ImageFolder> folders;
  if (parts.empty()) {
    folders.push_back(scan_image_folder(options.source));
    plan.classes = folders[0].classes;
    plan.parts = {"all"};
    add_candidates(folders[0], "", 0, plan);
    return plan;
  }
  if (!options.split.empty()) {
    throw UsageError("--split: the folder " + display_path(options.source) +
                     " is split already (train, val, ...): leave --split out, or name one of its "
                     "folders");
  }
  for (const SplitFolder& part : parts) {
    folders.push_back(scan_image_folder(options.source + "/" + part.folder));
  }
  plan.classes = merged_classes(folders);
  for (std::size_t p = 0; p < parts.size(); ++p) {
    plan.parts.push_back(parts[p].split);
    add_candidates(folders[p], parts[p].folder + "/", p, plan);
  }
  return plan;
}

void assign_split(const PackOptions& options, PackPlan& plan) {
  if (options.split.empty()) return;
  std::vector<std::size_t> usable;
  std::vector<std::int32_t> labels;
  for (std::size_t i = 0; i < plan.candidates.size(); ++i) {
    if (!plan.candidates[i].rejected.empty()) continue;
    usable.push_back(i);
    labels.push_back(plan.candidates[i].label);
  }
  const std::vector<std::size_t> parts =
      stratified_split(labels, plan.classes, options.split, options.seed);
  for (std::size_t k = 0; k < usable.size(); ++k) plan.candidates[usable[k]].part = parts[k];
  plan.parts.clear();
  for (const SplitShare& share : options.split) plan.parts.push_back(share.name);
}

void check_classes_filled(const PackOptions& options, const PackPlan& plan) {
  for (std::size_t part = 0; part < plan.parts.size(); ++part) {
    std::vector<std::uint64_t> counts(plan.classes.size(), 0);
    for (const Candidate& candidate : plan.candidates) {
      if (candidate.part == part && candidate.rejected.empty()) {
        ++counts[static_cast<std::size_t>(candidate.label)];
      }
    }
    const std::string where =
        plan.parts.size() > 1 ? "in the part '" + plan.parts[part] + "' " : "";
    if (std::all_of(counts.begin(), counts.end(), [](std::uint64_t n) { return n == 0; })) {
      throw UsageError("there is no usable picture " + where + "in " +
                       display_path(options.source) + rejected_in(plan, 0));
    }
    const auto empty = std::find(counts.begin(), counts.end(), 0U);
    if (empty == counts.end() || options.allow_empty_classes) continue;
    const auto label = static_cast<std::int32_t>(empty - counts.begin());
    throw UsageError("the class '" + display_path(plan.classes[static_cast<std::size_t>(label)]) +
                     "' has no usable picture " + where + "in " + display_path(options.source) +
                     rejected_in(plan, label) +
                     "; remove its folder, add pictures, or pass --allow-empty-classes");
  }
}

}  // namespace casvit::dataio
