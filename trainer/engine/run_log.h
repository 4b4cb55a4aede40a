#pragma once

#include <cstdio>
#include <string>

namespace casvit::trainer {

/// What a person reads while a run goes on: lines on stdout and, once a folder is given, in its
/// log.txt. Every rank has one; only rank 0's speaks.
class RunLog {
 public:
  explicit RunLog(bool speaks) : speaks_(speaks) {}
  ~RunLog();
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  /// Appends to `run_folder`/log.txt from here on. @throws OutputError
  void open(const std::string& run_folder);
  void line(const std::string& text);

 private:
  bool speaks_;
  std::FILE* file_ = nullptr;
};

}  // namespace casvit::trainer
