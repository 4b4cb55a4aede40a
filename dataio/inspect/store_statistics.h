#pragma once

#include <string>
#include <vector>

#include "dataio/augment/transform.h"

namespace casvit::dataio {

/// Changes the mean and std that containers store for training, in place; their index hashes do not
/// cover them, and nothing else is touched. A file is marked incomplete while they change: whoever
/// opens it then is told so, and where the change is interrupted, even by a loss of power, calling
/// this again completes it. All files are opened for writing, and looked at, before any is changed.
/// @throws InputError when a file is no container, damaged, or was rewritten by another program;
///         OutputError when it cannot be written.
void store_statistics(const std::vector<std::string>& paths, const Normalization& normalization);

}  // namespace casvit::dataio
