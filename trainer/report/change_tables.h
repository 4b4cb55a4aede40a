#pragma once

#include <string>

#include "trainer/report/figures.h"

namespace casvit::trainer {

/// changed_pictures.csv: `path,label,change,answer,probability,other_answer,other_probability`, the
/// pictures that one of two models alone has right: `gained` (the report's own) before `lost`, in
/// the order of PairedComparison.
std::string changed_pictures_csv(const Figures& figures);

/// class_changes.csv: `class,support,right,other_right,gained,lost`.
std::string class_changes_csv(const Figures& figures);

}  // namespace casvit::trainer
