#include "trainer/engine/run_log.h"

#include <cerrno>
#include <cstring>

#include "trainer/error.h"

namespace casvit::trainer {

RunLog::~RunLog() {
  if (file_ != nullptr) {
    std::fclose(file_);
  }
}

void RunLog::open(const std::string& run_folder) {
  if (!speaks_) {
    return;
  }
  const std::string path = run_folder + "/log.txt";
  file_ = std::fopen(path.c_str(), "a");
  if (file_ == nullptr) {
    throw OutputError("cannot write " + path + ": " + std::strerror(errno));
  }
}

void RunLog::line(const std::string& text) {
  if (!speaks_) {
    return;
  }
  std::fprintf(stdout, "%s\n", text.c_str());
  std::fflush(stdout);
  if (file_ != nullptr) {
    std::fprintf(file_, "%s\n", text.c_str());
    std::fflush(file_);
  }
}

}  // namespace casvit::trainer
