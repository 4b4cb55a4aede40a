#include "dataio/pack/assemble.h"

#include <utility>

#include "dataio/container/display.h"
#include "dataio/error.h"
#include "dataio/pack/sample_record.h"

namespace casvit::dataio {
namespace {

/// How many pictures of a class were rejected, and the first of them.
struct ClassRejects {
  std::uint64_t count = 0;
  std::size_t first = 0;  ///< index into Assembly::rejected
};

SampleDescription description_of(const Candidate& candidate, const SampleRecord& record) {
  return {.length = record.length,
          .height = record.height,
          .width = record.width,
          .codec = record.codec,
          .orientation = record.orientation,
          .label = candidate.label,
          .xxh3 = record.xxh3,
          .source = candidate.path};
}

class Assembler {
 public:
  Assembler(const PackPlan& plan, Assembly& assembly)
      : plan_(plan), assembly_(assembly), rejects_(plan.classes.size()), ends_(plan.parts.size()) {
    assembly_.parts.assign(plan.parts.size(), IndexBuilder(plan.classes));
  }

  void add_rank(std::uint64_t begin, std::uint64_t end, std::string_view records) {
    std::vector<std::uint64_t> starts;
    for (const std::uint64_t last : ends_) starts.push_back(aligned_position(last));
    for (std::uint64_t i = begin; i < end; ++i) add(plan_.candidates[i], take_record(records));
    if (!records.empty()) throw InputError("records of more pictures than there are");
    std::vector<std::uint64_t> sizes;
    for (std::size_t p = 0; p < ends_.size(); ++p) {
      sizes.push_back(ends_[p] > starts[p] ? ends_[p] - starts[p] : 0);
    }
    assembly_.starts.push_back(std::move(starts));
    assembly_.sizes.push_back(std::move(sizes));
  }

  /// "; 2 rejected there, the first: Maize/a.jpg: empty file": why a class may have come out empty.
  std::string rejected_in(std::int32_t label) const {
    const ClassRejects& found = rejects_[static_cast<std::size_t>(label)];
    if (found.count == 0) return "";
    const RejectedFile& first = assembly_.rejected[found.first];
    return "; " + std::to_string(found.count) +
           " rejected there, the first: " + display_path(first.path) + ": " + first.reason;
  }

 private:
  void add(const Candidate& candidate, SampleRecord record) {
    if (record.length > 0) {
      const SampleDescription sample = description_of(candidate, record);
      ends_[candidate.part] = assembly_.parts[candidate.part].add(sample) + sample.length;
      return;
    }
    ClassRejects& rejects = rejects_[static_cast<std::size_t>(candidate.label)];
    if (rejects.count++ == 0) rejects.first = assembly_.rejected.size();
    assembly_.rejected.push_back({candidate.path, std::move(record.rejected)});
  }

  const PackPlan& plan_;
  Assembly& assembly_;
  std::vector<ClassRejects> rejects_;
  std::vector<std::uint64_t> ends_;
};

}  // namespace

std::pair<std::uint64_t, std::uint64_t> range_of_rank(std::uint64_t candidates, int rank,
                                                      int size) {
  // Multiplied by ranks, not divided first: all ranges differ by one candidate at most.
  const auto bound = [&](int r) {
    return candidates * static_cast<std::uint64_t>(r) / static_cast<std::uint64_t>(size);
  };
  return {bound(rank), bound(rank + 1)};
}

Assembly assemble(const PackOptions& options, const PackPlan& plan,
                  const std::vector<std::string>& records) {
  Assembly assembly;
  Assembler assembler(plan, assembly);
  const int ranks = static_cast<int>(records.size());
  for (int r = 0; r < ranks; ++r) {
    const auto [begin, end] = range_of_rank(plan.candidates.size(), r, ranks);
    assembler.add_rank(begin, end, records[static_cast<std::size_t>(r)]);
  }
  std::vector<std::vector<std::uint64_t>> counts;
  for (const IndexBuilder& part : assembly.parts) counts.push_back(part.index().class_counts);
  check_classes_filled(options, plan, counts,
                       [&assembler](std::int32_t label) { return assembler.rejected_in(label); });
  return assembly;
}

}  // namespace casvit::dataio
