#pragma once

#include <string>
#include <string_view>

namespace casvit::trainer {

/// The key that was probably meant by an unknown one: a name of another program for it (lr, wd,
/// batch_size, aa, ...), the same name in another section, or the least edit distance.
std::string nearest_key(std::string_view unknown);

/// The section likewise.
std::string nearest_section(std::string_view unknown);

/// Edits (insertions, deletions, substitutions, swaps of neighbours) from one text to the other.
int edit_distance(std::string_view from, std::string_view to);

}  // namespace casvit::trainer
