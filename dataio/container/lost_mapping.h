#pragma once

#include <cstddef>

namespace casvit::dataio {

/// From now on a container that is cut short (or whose disk fails) while it is in use ends the
/// program with one line on standard error that names the file, and with `exit_code`, instead of an
/// unexplained SIGBUS. Any other SIGBUS ends the program as before. Call it once, from `main`.
/// @param program leads the line; must outlive the program, like a literal.
void explain_lost_mappings(const char* program, int exit_code);

/// Remembers that [begin, begin + length) is `name`'s, for that line. Thread-safe.
/// @param name must live until forget_mapping. @returns what forget_mapping takes; 0 where there
/// are
///        too many mappings, which are then not remembered.
std::size_t remember_mapping(const void* begin, std::size_t length, const char* name);
void forget_mapping(std::size_t slot);

}  // namespace casvit::dataio
