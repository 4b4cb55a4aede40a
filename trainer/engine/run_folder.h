#pragma once

#include <string>

namespace casvit::trainer {

/// Whether `folder` already holds a run (a configuration, metrics or a checkpoint).
bool holds_a_run(const std::string& folder);

/// Makes `folder` and its checkpoints/. @throws OutputError
void make_run_folder(const std::string& folder);

/// Writes a small text file aside and renames it. @throws OutputError
void write_text_file(const std::string& path, const std::string& text);

}  // namespace casvit::trainer
