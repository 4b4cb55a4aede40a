#include "dataio/container/lost_mapping.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstring>

namespace casvit::dataio {
namespace {

/// Note "what a signal handler may touch": the handler runs on the thread that touched the lost
/// page, at any moment, so that it can neither lock nor allocate. What it reads is this table of
/// atomics. A slot is taken by its `begin`, and its mapping cannot end while one of its pages is
/// being read.
struct Slot {
  std::atomic<std::uintptr_t> begin{0};  ///< 0: free; 1: being filled
  std::atomic<std::uintptr_t> end{0};
  std::atomic<const char*> name{nullptr};
};
constexpr std::size_t kSlots = 16'384;
constexpr std::uintptr_t kBeingFilled = 1;

// The handler has nothing but its arguments and globals.
std::array<Slot, kSlots> slots;       // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
const char* program_name = "casvit";  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
int exit_code_of_lost_files = 1;      // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

const char* name_of(std::uintptr_t address) {
  for (const Slot& slot : slots) {
    const std::uintptr_t begin = slot.begin.load(std::memory_order_acquire);
    if (begin > kBeingFilled && address >= begin && address < slot.end.load()) {
      return slot.name.load();
    }
  }
  return nullptr;
}

void say(const char* text) {
  for (std::size_t left = std::strlen(text); left > 0;) {
    const ssize_t count = ::write(STDERR_FILENO, text, left);
    if (count <= 0) return;
    text += count;
    left -= static_cast<std::size_t>(count);
  }
}

void on_bus_error(int, siginfo_t* info, void*) {
  const char* name = name_of(reinterpret_cast<std::uintptr_t>(info->si_addr));
  if (name == nullptr) {
    std::signal(SIGBUS, SIG_DFL);  // not ours: the access is tried again and ends the program
    return;
  }
  say(program_name);
  say(": cannot read ");
  say(name);
  say(": it was cut short, or its disk failed, while it was in use; restore it from a copy\n");
  ::_exit(exit_code_of_lost_files);
}

}  // namespace

void explain_lost_mappings(const char* program, int exit_code) {
  program_name = program;
  exit_code_of_lost_files = exit_code;
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, nullptr);
}

std::size_t remember_mapping(const void* begin, std::size_t length, const char* name) {
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  for (std::size_t i = 1; i < kSlots; ++i) {
    std::uintptr_t free = 0;
    if (!slots[i].begin.compare_exchange_strong(free, kBeingFilled)) continue;
    slots[i].end.store(address + length);
    slots[i].name.store(name);
    slots[i].begin.store(address, std::memory_order_release);
    return i;
  }
  return 0;
}

void forget_mapping(std::size_t slot) {
  if (slot != 0) slots[slot].begin.store(0, std::memory_order_release);
}

}  // namespace casvit::dataio
