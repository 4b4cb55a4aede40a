#include "tests/launch/child_process.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <stdexcept>

namespace casvit::launch {

using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

ChildProcess::ChildProcess(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw std::runtime_error("pipe");
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork");
  if (pid_ == 0) {
    setpgid(0, 0);
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  setpgid(pid_, pid_);  // whoever of the two comes first
  close(ends[1]);
  pipe_ = ends[0];
}

ChildProcess::~ChildProcess() {
  if (!reaped_) {
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(pipe_);
}

void ChildProcess::send_signal(int signal) const { kill(pid_, signal); }

bool ChildProcess::read_some(milliseconds limit) {
  pollfd readable{pipe_, POLLIN, 0};
  if (poll(&readable, 1, static_cast<int>(limit.count())) <= 0) return false;
  std::array<char, 4096> buffer{};
  const ssize_t length = read(pipe_, buffer.data(), buffer.size());
  if (length <= 0) return false;
  output_.append(buffer.data(), static_cast<std::size_t>(length));
  return true;
}

bool ChildProcess::wait_for_output(const std::string& text, milliseconds limit) {
  const auto end = Clock::now() + limit;
  while (output_.find(text) == std::string::npos) {
    const auto left = duration_cast<milliseconds>(end - Clock::now());
    if (left <= milliseconds(0) || !read_some(left)) return false;
  }
  return true;
}

bool ChildProcess::wait_for_end(milliseconds limit) {
  const auto end = Clock::now() + limit;
  while (Clock::now() < end) {
    while (read_some(milliseconds(0))) {
    }
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      reaped_ = true;
      exit_code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
      while (read_some(milliseconds(0))) {
      }
      return true;
    }
    usleep(10'000);
  }
  return false;
}

bool is_alive(pid_t pid) {
  // "pid (name) state ..."
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(stat, text)) return false;
  const auto name_end = text.rfind(')');
  return name_end == std::string::npos || name_end + 2 >= text.size() || text[name_end + 2] != 'Z';
}

}  // namespace casvit::launch
