#include "trainer/engine/run_folder.h"

#include <filesystem>
#include <fstream>
#include <system_error>

#include "trainer/error.h"

namespace casvit::trainer {
namespace fs = std::filesystem;

bool holds_a_run(const std::string& folder) {
  std::error_code ignored;
  const fs::path checkpoints = fs::path(folder) / "checkpoints";
  return fs::exists(fs::path(folder) / "config.yaml", ignored) ||
         fs::exists(fs::path(folder) / "metrics.jsonl", ignored) ||
         (fs::is_directory(checkpoints, ignored) && !fs::is_empty(checkpoints, ignored));
}

void make_run_folder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(fs::path(folder) / "checkpoints", error);
  if (error) {
    throw OutputError("cannot make the run folder " + folder + ": " + error.message());
  }
}

void write_text_file(const std::string& path, const std::string& text) {
  const std::string aside = path + ".partial";
  std::ofstream file(aside, std::ios::binary);
  file << text;
  file.close();
  std::error_code error;
  if (file) {
    fs::rename(aside, path, error);
  }
  if (!file || error) {
    throw OutputError("cannot write " + path + (error ? ": " + error.message() : ""));
  }
}

}  // namespace casvit::trainer
