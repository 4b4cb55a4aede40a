#pragma once

#include <string>
#include <vector>

namespace casvit::dataio {

/// Replaces each pattern (`*`, `?`, `[...]`, as glob(3)) by the files that match it, sorted by byte
/// order; a path without such characters, or that exists as it stands, is taken literally.
/// @throws InputError for a pattern that matches nothing.
std::vector<std::string> expand_globs(const std::vector<std::string>& paths);

/// expand_globs, for files that each stand for a part of something: none may be listed twice, by
/// whatever name. @throws as above; UsageError naming the file
std::vector<std::string> expand_files(const std::vector<std::string>& paths);

}  // namespace casvit::dataio
