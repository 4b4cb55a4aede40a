#pragma once

#include <sys/types.h>

namespace casvit::launch {

/// The kernel's number of the calling thread.
pid_t current_thread();

/// Loads what taking a stack needs, which a thread that is interrupted anywhere could not. Before
/// the first dump_stack, from any thread.
void prepare_stack_dumps();

/// Writes the stack of another thread of this process to `file_descriptor`, a line a frame: the
/// thread is interrupted (SIGURG, which does nothing to a program that does not ask for it) and
/// takes the stack itself. A thread that does not answer within a second, because the kernel holds
/// it, gets a line that says so. One caller at a time.
void dump_stack(pid_t thread, int file_descriptor);

}  // namespace casvit::launch
