#include "tests/launch/mpi_job.h"

#include <unistd.h>

#include <filesystem>
#include <regex>

namespace casvit::launch {
namespace {

std::vector<std::string> command_of(int ranks, const std::string& program,
                                    const std::vector<std::string>& arguments) {
  const auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  std::vector<std::string> command{"mpirun",
                                   "--oversubscribe",
                                   "--bind-to",
                                   "none",
                                   "-np",
                                   std::to_string(ranks),
                                   (folder / program).string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

}  // namespace

MpiJob::MpiJob(int ranks, const std::string& program, const std::vector<std::string>& arguments)
    : ChildProcess(command_of(ranks, program, arguments)), ranks_(ranks) {}

bool MpiJob::wait_until_up(std::chrono::seconds limit) {
  for (int rank = 0; rank < ranks_; ++rank) {
    if (!wait_for_output("is rank " + std::to_string(rank) + ".", limit)) return false;
  }
  return true;
}

pid_t MpiJob::pid_of(int rank) const {
  std::smatch match;
  const std::regex line("pid (\\d+) is rank " + std::to_string(rank) + "\\.");
  return std::regex_search(output(), match, line) ? std::stoi(match[1]) : -1;
}

int MpiJob::survivors() const {
  int alive = ranks_;
  for (int attempt = 0; alive > 0 && attempt < 100; ++attempt) {
    alive = 0;
    for (int rank = 0; rank < ranks_; ++rank) alive += is_alive(pid_of(rank)) ? 1 : 0;
    if (alive > 0) usleep(20'000);
  }
  return alive;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace casvit::launch
