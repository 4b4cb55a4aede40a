#include "dataio/pack/pack_files.h"

#include <filesystem>
#include <sstream>
#include <utility>

#include "dataio/container/display.h"
#include "dataio/container/pending_file.h"
#include "dataio/container/writer.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

namespace fs = std::filesystem;

constexpr const char* kJournalSuffix = ".journal";

std::string rank_suffix(const PackRanks& ranks) {
  if (ranks.size == 1) return "";
  return "." + std::to_string(ranks.rank) + "-of-" + std::to_string(ranks.size);
}

}  // namespace

std::vector<std::string> output_paths(const PackOptions& options, const PackPlan& plan) {
  const bool alone = plan.parts.size() == 1 && options.split.empty() && !plan.divided;
  std::vector<std::string> paths;
  for (const std::string& part : plan.parts) {
    paths.push_back(alone ? options.output : part_path(options.output, part));
    // A mistyped output folder should not cost the time of reading every picture first.
    const PendingFile checked(paths.back());
  }
  return paths;
}

std::string staging_path(const std::string& output, const PackRanks& ranks) {
  return part_file_of(output) + rank_suffix(ranks);
}

std::string journal_path(const std::string& output, const PackRanks& ranks) {
  return hidden_beside(output, kJournalSuffix + rank_suffix(ranks));
}

std::string request_text(const PackOptions& options, const PackPlan& plan, const PackRanks& ranks) {
  std::ostringstream text;
  text.precision(9);
  std::error_code error;
  text << "tool " << options.tool_version << "\nblob " << container_blob_offset() << "\nranks "
       << ranks.size << "\nplan " << hash_text(plan_hash(plan)) << "\nroot "
       << fs::weakly_canonical(plan.root, error).string();
  for (const std::string& archive : plan.archives) {
    text << "\narchive " << fs::weakly_canonical(archive, error).string();
  }
  const StorageOptions& storage = options.storage;
  text << "\nresize " << storage.resize << "\nquality " << storage.quality << "\nraw "
       << storage.raw << "\nbaseline " << storage.baseline << "\nmax_pixels " << storage.max_pixels
       << "\non_error " << static_cast<int>(options.on_error) << "\nallow_empty "
       << options.allow_empty_classes << "\nnormalization";
  for (const float value : options.normalization.mean) text << " " << value;
  for (const float value : options.normalization.std) text << " " << value;
  return text.str();
}

void remove_files_of(const std::string& journal, const JournalRequest& request) {
  for (const std::string& file : request.files) {
    // Names alone, of the kind that we make: whatever a journal says, nothing else is removed.
    const std::string name = fs::path(file).filename().string();
    if (!name.starts_with('.') || name.find(kPartSuffix) == std::string::npos) continue;
    std::error_code error;
    fs::remove(fs::path(folder_of(journal)) / name, error);
  }
}

void settle_other_journals(const PackOptions& options, const PackRanks& ranks) {
  const std::string prefix =
      fs::path(hidden_beside(options.output, kJournalSuffix)).filename().string();
  const std::string own = fs::path(journal_path(options.output, ranks)).filename().string();
  const std::string own_family = ranks.size == 1 ? own : "-of-" + std::to_string(ranks.size);
  std::error_code error;
  std::vector<std::string> others;
  for (fs::directory_iterator at(folder_of(options.output), error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    const std::string rest = name.substr(prefix.size());
    const bool ours = ranks.size == 1 ? rest.empty() : rest.ends_with(own_family);
    if (!ours && (rest.empty() || rest.find("-of-") != std::string::npos)) {
      others.push_back(at->path().string());
    }
  }
  for (const std::string& path : others) {
    JournalState state;
    auto journal = Journal::open(path, state);
    if (journal && !options.restart) refuse_other_request(options, state.request);
    if (journal) {
      remove_files_of(path, state.request);
      journal->keep(false);
    } else {
      fs::remove(path, error);
    }
  }
}

void refuse_other_request(const PackOptions& options, const JournalRequest& other) {
  throw UsageError("a packing to " + display_path(options.output) +
                   " was interrupted that began at " + display_path(other.created) +
                   " with another command, number of ranks or set of pictures: " +
                   display_path(other.command_line) +
                   "; run that again as it was to continue it, or pass --restart to discard it");
}

}  // namespace casvit::dataio
