#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "trainer/report/judgement.h"
#include "trainer/report/paired_comparison.h"

namespace casvit::trainer {

/// Accuracies in percent, intervals as `[low, high]`; what is not finite is null.
nlohmann::ordered_json judgement_json(const Judgement& judgement);

/// `own`, `other` (each a judgement), `difference` (own - other: `acc1`, `acc1_interval`, `acc5`,
/// `acc5_interval`, `macro_f1`, `macro_f1_interval`, `log_loss`), `only_own_right`,
/// `only_other_right`, `mcnemar_p`, `per_class` (name: `support`, `right`, `other_right`, `gained`,
/// `lost`).
nlohmann::ordered_json paired_json(const PairedComparison& paired,
                                   const std::vector<std::string>& classes);

}  // namespace casvit::trainer
