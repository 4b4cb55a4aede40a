#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataio/pack/journal.h"
#include "dataio/pack/plan.h"

namespace casvit::dataio {

/// The output of each part. @throws OutputError where one cannot become a file
std::vector<std::string> output_paths(const PackOptions& options, const PackPlan& plan);

/// Where a rank collects the pictures of one output: that output's temporary file where it packs
/// alone, a file of the rank's own otherwise.
std::string staging_path(const std::string& output, const PackRanks& ranks);

/// A rank's journal, hidden beside the output.
std::string journal_path(const std::string& output, const PackRanks& ranks);

/// The options that decide what the files hold, as text that only equality is asked of.
std::string request_text(const PackOptions& options, const PackPlan& plan, const PackRanks& ranks);

/// What a packing by another number of ranks left beside the output: with `restart` it is removed.
/// @throws UsageError without.
void settle_other_journals(const PackOptions& options, const PackRanks& ranks);

/// Removes the temporary files that an interrupted packing names, if they are there.
void remove_files_of(const std::string& journal, const JournalRequest& request);

/// "an interrupted packing is there, but of another request ...".
[[noreturn]] void refuse_other_request(const PackOptions& options, const JournalRequest& other);

}  // namespace casvit::dataio
