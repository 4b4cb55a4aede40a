#pragma once

#include <string>
#include <vector>

#include "launch/exit_code.h"

namespace casvit::launch {

enum class Verdict { kOk, kWarning, kFailed };

/// "ok", "warning", "FAILED".
const char* verdict_name(Verdict verdict);

/// One thing that was looked at before a job begins.
struct Check {
  std::string name;  ///< "world", "binary", ...
  Verdict verdict = Verdict::kOk;
  std::string finding;              ///< what was found; names ranks and hosts where one is at fault
  std::string advice;               ///< what to do; empty where all is well
  std::vector<int> ranks;           ///< those at fault
  ExitCode code = ExitCode::kDone;  ///< what a job of this world would end with; kDone: it begins
};

/// Of the first check that failed; kDone where none did.
ExitCode exit_code_of(const std::vector<Check>& checks);

/// The gravest of all.
Verdict verdict_of(const std::vector<Check>& checks);

}  // namespace casvit::launch
