#pragma once

#include <string>

namespace casvit::dataio {

/// The time to store as a file's creation: now, or that of the environment variable
/// SOURCE_DATE_EPOCH (seconds since 1970; reproducible-builds.org), as "2024-05-31T12:00:00Z".
/// @throws UsageError when the variable is not a number of seconds.
std::string created_time();

}  // namespace casvit::dataio
