#include "launch/preflight/check.h"

#include <algorithm>

namespace casvit::launch {

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kFailed:
      break;
  }
  return "FAILED";
}

ExitCode exit_code_of(const std::vector<Check>& checks) {
  const auto failed = std::ranges::find(checks, Verdict::kFailed, &Check::verdict);
  return failed == checks.end() ? ExitCode::kDone : failed->code;
}

Verdict verdict_of(const std::vector<Check>& checks) {
  Verdict gravest = Verdict::kOk;
  for (const Check& check : checks) gravest = std::max(gravest, check.verdict);
  return gravest;
}

}  // namespace casvit::launch
