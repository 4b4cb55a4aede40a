#include "trainer/engine/step_trace.h"

#include <utility>

#include "trainer/engine/run_folder.h"

namespace casvit::trainer {
namespace {

constexpr int kPhases = 0;
constexpr int kExchanges = 1;

double microseconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

}  // namespace

StepTrace::StepTrace(std::string path, std::int64_t first, std::int64_t count)
    : path_(std::move(path)), first_(first), count_(count) {}

/// Note: clocks of hosts differ. All ranks leave the exchange at the end of a step at about the
/// same moment, to within a message's time: the first traced one is everybody's zero.
void StepTrace::add(std::int64_t number, const std::vector<PhaseClock::Span>& phases,
                    const std::vector<ExchangeSpan>& exchanges) {
  const bool wanted = wants_next();
  ++seen_;
  if (!wanted) {
    return;
  }
  if (!has_zero_) {
    zero_ = exchanges.empty() ? phases.front().begin : exchanges.back().end;
    has_zero_ = true;
  }
  const nlohmann::json step{{"step", number}};
  for (const PhaseClock::Span& phase : phases) {
    event(phase_name(phase.phase), kPhases, phase.begin, phase.end, step);
  }
  for (const ExchangeSpan& exchange : exchanges) {
    const nlohmann::json arguments{{"step", number}, {"bytes", exchange.bytes}};
    event(exchange.name, kExchanges, exchange.begin, exchange.end, arguments);
  }
}

void StepTrace::event(const std::string& name, int lane, PhaseClock::Clock::time_point begin,
                      PhaseClock::Clock::time_point end, const nlohmann::json& arguments) {
  events_.push_back({{"ph", "X"},
                     {"name", name},
                     {"tid", lane},
                     {"ts", microseconds(begin - zero_)},
                     {"dur", microseconds(end - begin)},
                     {"args", arguments}});
}

const std::string& StepTrace::write(launch::World& world) const {
  const nlohmann::json mine{{"host", world.host()}, {"events", events_}};
  const std::vector<std::string> all =
      launch::all_gather_strings(world.communicator(), mine.dump());
  if (world.rank() != 0) {
    return path_;
  }
  nlohmann::json events = nlohmann::json::array();
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    const nlohmann::json its = nlohmann::json::parse(all[rank]);
    const auto name = [&](const char* what, int lane, const std::string& value) {
      events.push_back(
          {{"ph", "M"}, {"name", what}, {"pid", rank}, {"tid", lane}, {"args", {{"name", value}}}});
    };
    name("process_name", kPhases,
         "rank " + std::to_string(rank) + " on " + its["host"].get<std::string>());
    name("thread_name", kPhases, "step");
    name("thread_name", kExchanges, "exchange");
    for (nlohmann::json event : its["events"]) {
      event["pid"] = rank;
      events.push_back(std::move(event));
    }
  }
  write_text_file(path_, nlohmann::json{{"traceEvents", events}, {"displayTimeUnit", "ms"}}.dump());
  return path_;
}

}  // namespace casvit::trainer
