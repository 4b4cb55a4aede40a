#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace casvit::launch {

/// A program run aside in a process group of its own, its two outputs read together. Whatever of
/// the group is left is killed at the end.
class ChildProcess {
 public:
  explicit ChildProcess(const std::vector<std::string>& command);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  void send_signal(int signal) const;

  /// Reads until the output holds `text`; false when that took too long or the program ended.
  bool wait_for_output(const std::string& text, std::chrono::milliseconds limit);
  /// Reads on until the program ended; false when that took too long.
  bool wait_for_end(std::chrono::milliseconds limit);

  /// As a shell has it: 128 + signal where one ended the program.
  int exit_code() const { return exit_code_; }
  const std::string& output() const { return output_; }

 private:
  bool read_some(std::chrono::milliseconds limit);

  pid_t pid_ = -1;
  int pipe_ = -1;
  int exit_code_ = -1;
  bool reaped_ = false;
  std::string output_;
};

/// Whether a process of this number exists (a zombie does not).
bool is_alive(pid_t pid);

}  // namespace casvit::launch
