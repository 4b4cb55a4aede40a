#pragma once

#include <exception>
#include <functional>

#include "launch/exit_code.h"
#include "launch/world.h"

namespace casvit::launch {

/// Which exit code stands for an exception of a library that launch does not know. Asked after
/// launch's own types; kDefect for what it does not know either.
using Classifier = std::function<ExitCode(const std::exception&)>;

/// The one place where a program's exceptions become its exit code. Runs `body`, and then:
/// - it returned: its code; the caller finishes the world (all ranks return alike);
/// - it threw in a world of several ranks: World::abort with the exception's code and message, for
///   to unwind and finalise would leave the others hanging; does not return;
/// - it threw in a world of one: "casvit: message" on standard error, and the exception's code.
/// A defect's message asks to be reported.
int run_guarded(World& world, const std::function<ExitCode()>& body, const Classifier& classify);

/// A program from beginning to end: starts the world, runs `body` guarded, finishes the world. A
/// world that cannot start is reported on standard error, with its exit code.
int run_in_world(const std::function<ExitCode(World&)>& body, const Classifier& classify);

}  // namespace casvit::launch
