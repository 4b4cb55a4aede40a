#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <functional>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

namespace casvit::trainer {

// The system calls behind a C function; architectures have one of them or both.
inline const std::vector<long> kWriteCalls{SYS_write};
inline const std::vector<long> kFsyncCalls{SYS_fsync};
inline const std::vector<long> kRenameCalls{
#ifdef SYS_rename
    SYS_rename,
#endif
#ifdef SYS_renameat
    SYS_renameat,
#endif
    SYS_renameat2};
inline const std::vector<long> kLinkCalls{
#ifdef SYS_link
    SYS_link,
#endif
    SYS_linkat};
inline const std::vector<long> kUnlinkCalls{
#ifdef SYS_unlink
    SYS_unlink,
#endif
    SYS_unlinkat};

/// From here on, in all threads of this process and for good, these system calls are answered with
/// `action` (of seccomp) by the kernel, the way a full disk or a kill would. Only in a child.
inline void answer_calls(const std::vector<long>& calls, unsigned action) {
  std::vector<sock_filter> program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const long call : calls) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, action));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) != 0) {
    throw std::runtime_error("seccomp filters are not to be had here");
  }
}

inline void fail_calls(const std::vector<long>& calls, int error) {
  answer_calls(calls, SECCOMP_RET_ERRNO | static_cast<unsigned>(error));
}
inline void die_at_calls(const std::vector<long>& calls) {
  answer_calls(calls, SECCOMP_RET_KILL_PROCESS);
}

struct ChildResult {
  std::string message;  ///< what the body returned; empty where the child was killed
  int status = 0;       ///< of waitpid
};

/// Runs `body` in a child process and returns what it returned.
inline ChildResult in_child(const std::function<std::string()>& body) {
  std::array<int, 2> ends{};
  // A socket and not a pipe: the child may have no write() left.
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0)
    throw std::runtime_error("socketpair");
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child == 0) {
    std::string message;
    try {
      message = body();
    } catch (const std::exception& error) {
      message = std::string("the child failed: ") + error.what();
    }
    ::send(ends[1], message.data(), message.size(), MSG_NOSIGNAL);
    ::_exit(0);
  }
  ::close(ends[1]);
  ChildResult result;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = ::recv(ends[0], buffer.data(), buffer.size(), 0)) > 0;) {
    result.message.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  ::waitpid(child, &result.status, 0);
  return result;
}

}  // namespace casvit::trainer
