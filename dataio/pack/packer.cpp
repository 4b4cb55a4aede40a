#include "dataio/pack/packer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "dataio/container/display.h"
#include "dataio/container/pending_file.h"
#include "dataio/container/reader.h"
#include "dataio/container/writer.h"
#include "dataio/error.h"
#include "dataio/inspect/verify.h"
#include "dataio/pack/assemble.h"
#include "dataio/pack/pack_files.h"
#include "dataio/pack/pack_range.h"
#include "dataio/pack/source_reader.h"

namespace casvit::dataio {
namespace {

/// Where this process collects pictures, one file a part; removed with this object unless kept.
class Staging {
 public:
  explicit Staging(std::vector<std::string> paths) : paths_(std::move(paths)) {}
  ~Staging() {
    if (kept_) return;
    for (const std::string& path : paths_) ::unlink(path.c_str());
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  void keep(bool kept = true) { kept_ = kept; }
  bool all_there() const {
    for (const std::string& path : paths_) {
      std::error_code error;
      if (!std::filesystem::exists(path, error)) return false;
    }
    return true;
  }

  std::vector<std::unique_ptr<BlobFile>> open(const std::vector<std::string>& names,
                                              std::uint64_t base, BlobFile::Begin begin) const {
    std::vector<std::unique_ptr<BlobFile>> blobs;
    for (std::size_t p = 0; p < paths_.size(); ++p) {
      blobs.push_back(std::make_unique<BlobFile>(paths_[p], names[p], base, begin));
    }
    return blobs;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const std::string& path : paths_) {
      names.push_back(std::filesystem::path(path).filename().string());
    }
    return names;
  }

 private:
  std::vector<std::string> paths_;
  bool kept_ = false;
};

/// One packing, from a plan to published files. The order of the steps is that of `pack`.
class Packing {
 public:
  Packing(const PackOptions& options, const PackProgress& progress, const PackRanks& ranks)
      : options_(options), progress_(progress), ranks_(ranks), plan_(list_source()) {
    agree_on_plan();
    check_listed();
    outputs_ = output_paths(options, plan_);
    std::vector<std::string> paths;
    for (const std::string& output : outputs_) paths.push_back(staging_path(output, ranks));
    staging_.emplace(std::move(paths));
    staging_->keep();  // until it is known that nothing worth keeping is there
  }

  PackResult run() {
    try {
      begin();
      if (finish_publishing()) return finish();
      pack_own_range();
      assembly_ = assemble(options_, plan_, gather(own_.records));
      if (ranks_.size > 1) join_ranks();
      if (ranks_.rank == 0) seal_and_publish();
    } catch (...) {
      if (keep_on_failure_) {
        staging_->keep();
        if (journal_) journal_->keep();
      }
      throw;
    }
    return finish();
  }

 private:
  std::vector<std::string> gather(const std::string& text) const {
    return ranks_.size == 1 ? std::vector<std::string>{text} : ranks_.all_gather(text);
  }

  void agree_on_plan() const {
    const std::string own = hash_text(plan_hash(plan_));
    for (const std::string& other : gather(own)) {
      if (other == own) continue;
      throw InputError("the ranks see different pictures in " + display_path(options_.source) +
                       ": all hosts must see the same folder, and it must not change meanwhile");
    }
  }

  PackPlan list_source() const {
    // Nothing is there yet that an interruption could leave.
    return make_plan(options_,
                     [this](std::uint64_t listed) { progress_(kListingPhase, listed, 0); });
  }

  /// A class without any picture is known before a single one is read.
  void check_listed() const {
    std::vector<std::vector<std::uint64_t>> counts(
        plan_.parts.size(), std::vector<std::uint64_t>(plan_.classes.size()));
    for (std::size_t i = 0; i < plan_.candidates.size(); ++i) {
      const Candidate& candidate = plan_.candidates[i];
      if (plan_.unusable.count(i) > 0) continue;
      ++counts[candidate.part][static_cast<std::size_t>(candidate.label)];
    }
    check_classes_filled(options_, plan_, counts, [](std::int32_t) { return std::string(); });
  }

  void report(const std::string& phase, std::uint64_t done, std::uint64_t total) {
    try {
      progress_(phase, done, total);
    } catch (...) {
      keep_on_failure_ = true;
      throw;
    }
  }

  /// Opens or makes the journal, which fixes what the files will hold.
  void begin() {
    if (ranks_.rank == 0) settle_other_journals(options_, ranks_);
    const std::vector<std::string> fixed = gather(options_.created);
    JournalRequest request{request_text(options_, plan_, ranks_), fixed[0],
                           gather(options_.command_line)[0], staging_->names()};
    const std::string path = journal_path(options_.output, ranks_);
    journal_ = Journal::open(path, state_);
    if (journal_ && options_.restart) {
      remove_files_of(path, state_.request);
      journal_.reset();
    } else if (journal_ && state_.request.request != request.request) {
      refuse_other_request(options_, state_.request);
    }
    if (!journal_) {
      state_ = JournalState();
      state_.request = request;
      journal_.emplace(path, request);
    }
    // The first rank's journal may be older than one that was made anew.
    state_.request.created = gather(state_.request.created)[0];
    state_.request.command_line = gather(state_.request.command_line)[0];
  }

  /// Where all was sealed and only names were missing: gives them. @returns whether that was so.
  bool finish_publishing() {
    for (const std::string& whole : gather(has_all_records() ? "all" : "")) {
      if (whole.empty()) return false;
    }
    const bool sealed = ranks_.rank == 0 && state_.sealed.size() == outputs_.size() && all_named();
    if (gather(sealed ? "sealed" : "")[0].empty()) return false;
    own_.records = state_.records;
    assembly_ = assemble(options_, plan_, gather(own_.records));
    hashes_ = state_.sealed;
    hashes_.resize(outputs_.size());
    continued_ = plan_.candidates.size();
    return true;
  }

  bool has_all_records() const {
    const auto [first, last] = range_of_rank(plan_.candidates.size(), ranks_.rank, ranks_.size);
    std::uint64_t count = 0;
    for (std::string_view rest = state_.records; !rest.empty(); ++count) {
      static_cast<void>(take_record(rest));
    }
    return count == last - first;
  }

  /// Publishes what still has its temporary name, once all files, by whatever name, are those that
  /// were sealed. False when one is missing or another one.
  bool all_named() const {
    std::vector<std::string> waiting;
    for (std::size_t p = 0; p < outputs_.size(); ++p) {
      const std::string temporary = part_file_of(outputs_[p]);
      std::error_code error;
      const bool waits = std::filesystem::exists(temporary, error);
      if (!is_sealed(waits ? temporary : outputs_[p], state_.sealed[p])) return false;
      // One that was not named yet may have lost pictures with the power.
      if (waits && !is_whole(temporary)) return false;
      if (waits) waiting.push_back(outputs_[p]);
    }
    for (const std::string& output : waiting) {
      PendingFile pending(output, part_file_of(output));
      pending.keep();
      pending.publish(options_.durability);
    }
    return true;
  }

  static bool is_sealed(const std::string& path, std::uint64_t index_hash) {
    try {
      return ContainerReader(path).attributes().index_hash == index_hash;
    } catch (const InputError&) {
      return false;
    }
  }

  bool is_whole(const std::string& path) const {
    const auto unseen = [](std::uint64_t, std::uint64_t) {};
    return verify_container(path, false, options_.workers, unseen).damaged.empty();
  }

  void pack_own_range() {
    const SourceReader source(plan_);
    const auto [first, last] = range_of_rank(plan_.candidates.size(), ranks_.rank, ranks_.size);
    const std::uint64_t base = ranks_.size == 1 ? container_blob_offset() : 0;
    PackRange range{options_, plan_, source, first, last, {}};
    const auto open = [&](BlobFile::Begin begin) {
      blobs_ = staging_->open(outputs_, base, begin);
      range.blobs.clear();
      for (const auto& blob : blobs_) range.blobs.push_back(blob.get());
    };
    const bool continued = !state_.records.empty() && staging_->all_there();
    if (!continued) forget_records_from(0);
    open(continued ? BlobFile::Begin::kContinue : BlobFile::Begin::kAnew);
    own_ = take_over(range, state_);
    take_charge();
    forget_records_from(own_.records.size());
    for (std::size_t p = 0; p < blobs_.size(); ++p) blobs_[p]->truncate(own_.sizes[p]);
    continued_ = own_.candidates;
    if (own_.candidates > 0 && options_.on_continue) {
      options_.on_continue(own_.candidates, last - first);
    }
    pack_range(range, *journal_, own_,
               [this](std::uint64_t done, std::uint64_t total) { report("packing", done, total); });
  }

  /// Note "the journal first": what it says of pictures that are about to be overwritten is taken
  /// back, on disk, before they are. Whoever continues after a kill or a crash in between would
  /// otherwise trust it, and publish what is there.
  void forget_records_from(std::uint64_t bytes) {
    if (bytes == state_.records.size() && state_.sealed.empty()) return;
    journal_->cut_records(bytes);
    state_.records.resize(bytes);
    state_.sealed.clear();
  }

  /// From here on a failure removes what we made.
  void take_charge() {
    journal_->keep(false);
    staging_->keep(false);
  }

  /// Every rank copies what it has to its place in the files that the first rank made.
  void join_ranks() {
    std::deque<ContainerWriter> writers;
    if (ranks_.rank == 0) {
      for (const std::string& output : outputs_) writers.emplace_back(output);
    }
    gather("");
    const auto rank = static_cast<std::size_t>(ranks_.rank);
    for (std::size_t p = 0; p < outputs_.size(); ++p) {
      if (ranks_.rank != 0) {
        writers.emplace_back(outputs_[p], BlobFile::Begin::kContinue);
        writers.back().keep();
      }
      blobs_[p]->copy_to(writers[p].blob(), assembly_.starts[rank][p], assembly_.sizes[rank][p]);
      writers[p].blob().sync();
      report("joining", p + 1, outputs_.size());
    }
    gather("");
    writers_ = std::move(writers);
  }

  void seal_and_publish() {
    if (ranks_.size == 1) {
      for (const std::string& output : outputs_) {
        writers_.emplace_back(output, BlobFile::Begin::kContinue);
        writers_.back().keep();  // the staging files are these
      }
    }
    for (std::size_t p = 0; p < outputs_.size(); ++p) {
      writers_[p].seal(description_of(p), assembly_.parts[p].index(), options_.durability);
      hashes_.push_back(writers_[p].index_hash());
      report("sealing", p + 1, outputs_.size());  // the disk may have taken long: a last way out
    }
    if (options_.before_publish) options_.before_publish(result(false));
    journal_->mark_sealed(hashes_);
    keep_on_failure_ = true;  // only names are missing: the next packing gives them
    for (ContainerWriter& writer : writers_) writer.publish();
  }

  ContainerDescription description_of(std::size_t part) const {
    ContainerDescription description;
    description.split = plan_.parts[part];
    description.normalization = options_.normalization;
    description.created = state_.request.created;
    description.tool_version = options_.tool_version;
    description.command_line = state_.request.command_line;
    return description;
  }

  PackResult finish() {
    gather("");  // nobody removes anything before all files have their names
    journal_->keep(false);
    staging_->keep(false);
    return result(true);
  }

  /// @param published whether sizes are those of the files under their names
  PackResult result(bool published) const {
    PackResult result;
    result.classes = plan_.classes;
    for (std::size_t p = 0; p < outputs_.size(); ++p) {
      const ContainerIndex& index = assembly_.parts[p].index();
      PackedFile file{outputs_[p], plan_.parts[p], index.samples(), 0, 0, index.class_counts};
      if (p < hashes_.size()) file.index_hash = hashes_[p];
      std::error_code error;
      const std::string now = published ? outputs_[p] : part_file_of(outputs_[p]);
      file.file_bytes = std::filesystem::file_size(now, error);
      result.files.push_back(std::move(file));
    }
    result.rejected = assembly_.rejected;
    result.ignored = plan_.ignored;
    result.ignored_examples = plan_.ignored_examples;
    result.continued = continued_;
    return result;
  }

  const PackOptions& options_;
  const PackProgress& progress_;
  const PackRanks& ranks_;
  PackPlan plan_;
  std::vector<std::string> outputs_;
  /// Goes after `staging_`: its lock keeps others from the files that are removed then. Given back
  /// first, another packing to the same output would lose those that it has just made.
  std::optional<Journal> journal_;
  std::optional<Staging> staging_;
  JournalState state_;
  std::vector<std::unique_ptr<BlobFile>> blobs_;
  RangeProgress own_;
  Assembly assembly_;
  std::deque<ContainerWriter> writers_;  ///< of the first rank
  std::vector<std::uint64_t> hashes_;
  std::uint64_t continued_ = 0;
  bool keep_on_failure_ = false;
};

}  // namespace

std::string part_path(const std::string& output, const std::string& part) {
  const std::filesystem::path path(output);
  const std::string extension = path.extension().string();
  if (extension != ".h5" && extension != ".hdf5") return output + "." + part + ".h5";
  return output.substr(0, output.size() - extension.size()) + "." + part + extension;
}

PackResult pack(const PackOptions& options, const PackProgress& progress, const PackRanks& ranks) {
  return Packing(options, progress, ranks).run();
}

}  // namespace casvit::dataio
