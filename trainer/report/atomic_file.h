#pragma once

#include <string>
#include <string_view>

namespace casvit::trainer {

/// Writes a file so that its name shows the old content or the new, never a part: aside, fsync,
/// rename. @throws OutputError naming the file.
void write_file_atomically(const std::string& path, std::string_view content);

/// Makes a folder and those above it. @throws OutputError naming it.
void make_folder(const std::string& path);

/// Writes all of `bytes` to a file descriptor. @throws OutputError naming `path`.
void write_all(int descriptor, std::string_view bytes, const std::string& path);

/// @throws OutputError "cannot write PATH: reason" with the reason of `error`, an errno.
[[noreturn]] void cannot_write(const std::string& path, int error);

}  // namespace casvit::trainer
