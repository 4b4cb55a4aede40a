#include "launch/guard.h"

#include <cstdio>
#include <string>

#include "launch/error.h"

namespace casvit::launch {
namespace {

struct Failure {
  ExitCode code;
  std::string message;
};

ExitCode code_of(const std::exception& error, const Classifier& classify) {
  if (dynamic_cast<const CommunicationError*>(&error) != nullptr) return ExitCode::kCommunication;
  if (dynamic_cast<const WorldError*>(&error) != nullptr) return ExitCode::kUsage;
  return classify ? classify(error) : ExitCode::kDefect;
}

/// The exception being handled.
Failure current_failure(const Classifier& classify) {
  Failure failure{ExitCode::kDefect, "an exception of unknown type"};
  try {
    throw;
  } catch (const std::exception& error) {
    failure = {code_of(error, classify), error.what()};
  } catch (...) {  // NOLINT(bugprone-empty-catch): described above
  }
  if (failure.code == ExitCode::kDefect) {
    failure.message = "internal error, please report it: " + failure.message;
  }
  return failure;
}

int report(const Failure& failure) {
  std::fflush(stdout);
  std::fprintf(stderr, "casvit: %s\n", failure.message.c_str());
  return static_cast<int>(failure.code);
}

}  // namespace

int run_guarded(World& world, const std::function<ExitCode()>& body, const Classifier& classify) {
  try {
    return static_cast<int>(body());
  } catch (...) {
    const Failure failure = current_failure(classify);
    if (world.size() > 1) world.abort(failure.code, failure.message);
    return report(failure);
  }
}

int run_in_world(const std::function<ExitCode(World&)>& body, const Classifier& classify) {
  try {
    World world = World::start();
    return run_guarded(
        world,
        [&] {
          const ExitCode code = body(world);
          world.finish();
          return code;
        },
        classify);
  } catch (...) {
    return report(current_failure(classify));
  }
}

}  // namespace casvit::launch
