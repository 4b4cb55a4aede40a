#include "dataio/container/glob_paths.h"

#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <set>
#include <utility>

#include "dataio/container/display.h"
#include "dataio/container/file_descriptor.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

bool is_pattern(const std::string& path) {
  std::error_code error;
  return path.find_first_of("*?[") != std::string::npos && !std::filesystem::exists(path, error);
}

std::vector<std::string> matches_of(const std::string& pattern) {
  glob_t found{};
  const int status = ::glob(pattern.c_str(), GLOB_ERR, nullptr, &found);
  std::vector<std::string> paths;
  if (status == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (status == GLOB_NOMATCH) {
    throw InputError("no file matches the pattern " + display_path(pattern));
  }
  if (status != 0) {
    throw InputError("cannot look for " + display_path(pattern) + ": " +
                     (status == GLOB_NOSPACE ? "out of memory" : system_error_text()));
  }
  // glob sorts as the locale says; the order of samples must not depend on it.
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

std::vector<std::string> expand_globs(const std::vector<std::string>& paths) {
  std::vector<std::string> expanded;
  for (const std::string& path : paths) {
    if (is_pattern(path)) {
      const std::vector<std::string> matches = matches_of(path);
      expanded.insert(expanded.end(), matches.begin(), matches.end());
    } else {
      expanded.push_back(path);
    }
  }
  return expanded;
}

std::vector<std::string> expand_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files = expand_globs(paths);
  std::set<std::pair<dev_t, ino_t>> seen;
  std::set<std::string> missing;  // of which others complain
  for (const std::string& file : files) {
    struct stat status {};
    const bool is_new = ::stat(file.c_str(), &status) == 0
                            ? seen.emplace(status.st_dev, status.st_ino).second
                            : missing.insert(file).second;
    if (!is_new) {
      throw UsageError("the file " + display_path(file) +
                       " is listed twice (perhaps by name and by a pattern)");
    }
  }
  return files;
}

}  // namespace casvit::dataio
