#pragma once

#include <string>

#include "dataio/augment/transform.h"

namespace casvit::dataio {

/// Changes the mean and std that a container stores for training, in place; its index hash does not
/// cover them, and nothing else is touched. The file is marked incomplete while they change:
/// whoever opens it then is told so, and where the change is interrupted, even by a loss of power,
/// calling this again completes it.
/// @throws InputError when the file is no container, damaged, or was rewritten by another program;
///         OutputError when it cannot be written.
void store_statistics(const std::string& path, const Normalization& normalization);

}  // namespace casvit::dataio
