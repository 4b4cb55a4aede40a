#pragma once

#include <string>

#include "trainer/report/figures.h"

namespace casvit::trainer {

/// per_class.csv: `class,precision,recall,f1,support,train_samples`; the last empty where it is not
/// known.
std::string per_class_csv(const Figures& figures);

}  // namespace casvit::trainer
