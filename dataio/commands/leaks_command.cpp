#include <algorithm>
#include <array>
#include <iostream>
#include <memory>
#include <string_view>
#include <vector>

#include "dataio/commands/commands.h"
#include "dataio/commands/damaged_report.h"
#include "dataio/commands/json_text.h"
#include "dataio/commands/progress_line.h"
#include "dataio/container/display.h"
#include "dataio/container/glob_paths.h"
#include "dataio/container/reader.h"
#include "dataio/error.h"
#include "dataio/inspect/duplicates.h"
#include "launch/threads.h"

namespace casvit::dataio {
namespace {

constexpr int kMaxWorkers = 1024;
constexpr int kMaxDistance = 16;
constexpr std::size_t kGroupsShown = 20;
constexpr std::size_t kMembersShown = 6;
constexpr const char* kAcrossWord = "across";
constexpr const char* kAnyWord = "any";
constexpr const char* kNoneWord = "none";

struct LeaksArguments {
  std::vector<std::string> files;
  DuplicateSearch search;
  bool bytes_only = false;
  int workers = 0;  ///< 0: as many as there are cores
  std::string fail_on = kAcrossWord;
  bool json = false;
};

std::string_view likeness_name(Likeness likeness) {
  switch (likeness) {
    case Likeness::kBytes:
      return "bytes";
    case Likeness::kPixels:
      return "pixels";
    case Likeness::kNear:
      return "near";
  }
  return "";
}

using Readers = std::vector<const ContainerReader*>;

const std::string& class_of(const Readers& readers, const SampleId& id) {
  const ContainerReader& reader = *readers[id.file];
  return reader.index().class_names[static_cast<std::size_t>(reader.label(id.sample))];
}

bool labels_differ(const Readers& readers, const DuplicateGroup& group) {
  return std::any_of(group.members.begin(), group.members.end(), [&](const SampleId& id) {
    return class_of(readers, id) != class_of(readers, group.members.front());
  });
}

nlohmann::ordered_json groups_json(const Readers& readers,
                                   const std::vector<DuplicateGroup>& groups) {
  auto list = nlohmann::ordered_json::array();
  for (const DuplicateGroup& group : groups) {
    auto members = nlohmann::ordered_json::array();
    for (const SampleId& id : group.members) {
      members.push_back({{"file", readers[id.file]->path()},
                         {"sample", id.sample},
                         {"source", readers[id.file]->source_path(id.sample)},
                         {"class", class_of(readers, id)}});
    }
    list.push_back({{"same", likeness_name(group.likeness)},
                    {"across_files", group.spans_files()},
                    {"labels_differ", labels_differ(readers, group)},
                    {"samples", members}});
  }
  return list;
}

/// How many groups there are of each likeness; those across files, and inside one.
struct Tally {
  std::array<std::array<std::uint64_t, 2>, 3> groups{};  ///< [likeness][across files]
  std::uint64_t with_differing_labels = 0;

  std::uint64_t of(Likeness likeness, bool across) const {
    return groups.at(static_cast<std::size_t>(likeness)).at(across ? 1 : 0);
  }
  /// Pictures that are the same beyond doubt.
  std::uint64_t certain(bool across) const {
    return of(Likeness::kBytes, across) + of(Likeness::kPixels, across);
  }
};

Tally tally_of(const Readers& readers, const std::vector<DuplicateGroup>& groups) {
  Tally tally;
  for (const DuplicateGroup& group : groups) {
    ++tally.groups.at(static_cast<std::size_t>(group.likeness)).at(group.spans_files() ? 1 : 0);
    if (labels_differ(readers, group)) ++tally.with_differing_labels;
  }
  return tally;
}

void print_group(const Readers& readers, const DuplicateGroup& group) {
  std::cout << "  same "
            << (group.likeness == Likeness::kNear ? "at a glance" : likeness_name(group.likeness))
            << (group.spans_files() ? ", ACROSS FILES" : "")
            << (labels_differ(readers, group) ? ", other labels" : "") << "\n";
  for (std::size_t i = 0; i < group.members.size() && i < kMembersShown; ++i) {
    const SampleId& id = group.members[i];
    std::cout << "    " << readers[id.file]->describe(id.sample) << "\n";
  }
  if (group.members.size() > kMembersShown) {
    std::cout << "    and " << group.members.size() - kMembersShown << " more\n";
  }
}

void print_result(const Readers& readers, std::vector<DuplicateGroup> groups, const Tally& tally,
                  const DuplicateSearch& search) {
  // What matters most comes first, where not all is shown.
  std::stable_partition(groups.begin(), groups.end(),
                        [](const DuplicateGroup& group) { return group.spans_files(); });
  for (std::size_t i = 0; i < groups.size() && i < kGroupsShown; ++i) {
    print_group(readers, groups[i]);
  }
  if (groups.size() > kGroupsShown) {
    std::cout << "  and " << groups.size() - kGroupsShown
              << " more groups; --json lists them all\n";
  }
  const auto line = [&tally](const char* name, Likeness likeness) {
    std::cout << name << tally.of(likeness, true) << " across files, " << tally.of(likeness, false)
              << " inside one\n";
  };
  line("groups of equal bytes:    ", Likeness::kBytes);
  if (search.pixels) line("groups of equal pixels:   ", Likeness::kPixels);
  if (search.near) line("groups of near pictures:  ", Likeness::kNear);
  if (tally.with_differing_labels > 0) {
    std::cout << "groups with other labels: " << tally.with_differing_labels << "\n";
  }
}

/// What was not looked for is null, not 0.
nlohmann::ordered_json tally_json(const Tally& tally, const DuplicateSearch& search) {
  nlohmann::ordered_json json;
  const auto add = [&](Likeness likeness, bool searched) {
    nlohmann::ordered_json& counts = json[std::string(likeness_name(likeness))];
    if (!searched) return;
    counts = {{"across_files", tally.of(likeness, true)},
              {"inside_a_file", tally.of(likeness, false)}};
  };
  add(Likeness::kBytes, true);
  add(Likeness::kPixels, search.pixels);
  add(Likeness::kNear, search.near);
  json["labels_differ"] = tally.with_differing_labels;
  return json;
}

launch::ExitCode run_leaks(const LeaksArguments& arguments) {
  DuplicateSearch search = arguments.search;
  if (arguments.bytes_only && search.near) {
    throw UsageError("--near compares decoded pictures, which --bytes-only leaves out");
  }
  search.pixels = !arguments.bytes_only;
  search.workers = arguments.workers > 0 ? arguments.workers : launch::usable_cores();
  const std::vector<std::string> files = expand_files(arguments.files);
  std::vector<ContainerReader> opened;
  opened.reserve(files.size());
  for (const std::string& file : files) opened.emplace_back(file);
  Readers readers;
  for (const ContainerReader& reader : opened) readers.push_back(&reader);

  ProgressLine line;
  const auto [groups, undecodable] = find_duplicates(
      readers, search, [&line](const std::string& phase, std::uint64_t done, std::uint64_t total) {
        line.update(phase, done, total);
      });
  line.clear();
  const Tally tally = tally_of(readers, groups);
  if (arguments.json) {
    std::cout << json_text({{"counts", tally_json(tally, search)},
                            {"groups", groups_json(readers, groups)},
                            {"undecodable", damaged_json(undecodable)}});
  } else {
    print_result(readers, groups, tally, search);
  }
  complain_about(undecodable, "in these files");
  if (!undecodable.empty()) {
    complain(std::to_string(undecodable.size()) +
             " samples could not be compared: whether they are leaks is not known");
  }
  const bool fails = (arguments.fail_on != kNoneWord && !undecodable.empty()) ||
                     (arguments.fail_on != kNoneWord && tally.certain(true) > 0) ||
                     (arguments.fail_on == kAnyWord && tally.certain(false) > 0);
  return fails ? launch::ExitCode::kInput : launch::ExitCode::kDone;
}

}  // namespace

Command add_leaks_command(launch::CommandLine& program) {
  launch::CommandLine command = program.subcommand(
      "leaks",
      "Example: casvit-pack leaks photos.train.h5 photos.val.h5\n\n"
      "Finds pictures that occur more than once, inside a file or in several, as when a picture to "
      "be\ntested on was trained on: those of the same bytes, those of the same pixels, and with "
      "--near those\nthat look alike. The exit code is 3 when bytes or pixels are the same across "
      "files (--fail-on);\npictures that look alike never change it.");
  auto arguments = std::make_shared<LeaksArguments>();
  command.option("FILE", arguments->files, "packed files").required();
  command.flag("--bytes-only", arguments->bytes_only, "decode nothing, compare bytes alone");
  const launch::Option near = command.flag("--near", arguments->search.near,
                                           "find pictures that look alike, too (dHash, 64 bits)");
  command
      .option("--distance", arguments->search.near_distance,
              "bits in which the hashes of near pictures may differ (default 4)")
      .range(0, kMaxDistance)
      .needs(near);
  command
      .option("--fail-on", arguments->fail_on,
              "end with 3 for duplicates across files (default), any, or none")
      .one_of({kAcrossWord, kAnyWord, kNoneWord});
  command.option("--workers", arguments->workers, "threads (default: the cores there are)")
      .range(1, kMaxWorkers);
  command.flag("--json", arguments->json, "print the result as JSON");
  return [arguments] { return run_leaks(*arguments); };
}

}  // namespace casvit::dataio
