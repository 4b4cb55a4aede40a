#pragma once

#include <string>

namespace casvit::trainer {

/// What is wrong with the tags of an HTML or SVG document: one that is not closed, closed in the
/// wrong order, a quote that does not end. Empty where nothing is.
std::string markup_problem(const std::string& document);

}  // namespace casvit::trainer
