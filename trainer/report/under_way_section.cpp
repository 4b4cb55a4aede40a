#include <ctime>

#include "trainer/report/page.h"
#include "trainer/report/progress.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

/// "2026-11-28 09:41 UTC".
std::string date_of(double seconds_since_1970) {
  const auto whole = static_cast<std::time_t>(seconds_since_1970);
  std::tm parts{};
  gmtime_r(&whole, &parts);
  constexpr std::size_t kRoom = 32;
  std::string text(kRoom, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts));
  return text;
}

}  // namespace

std::string under_way_section(const Figures& figures) {
  const ReportInput& input = figures.input;
  if (!input.under_way) return "";
  const UnderWay& run = *input.under_way;
  const std::string left =
      run.seconds_left > 0 ? ", about " + format_duration(run.seconds_left) + " to go" : "";
  const double share = 100.0 * run.epoch / run.epochs;
  return "<section class='card underway' aria-label='Progress'>\n<p><b>Under way: epoch " +
         std::to_string(run.epoch) + " of " + std::to_string(run.epochs) + " done" + left +
         ".</b> As of " + date_of(input.written) +
         "; written anew after evaluations. <span class='tools scripted'><label><input "
         "type='checkbox' id='reloads'> Reload every 30 seconds</label></span></p>\n<div "
         "class='split'><i style='width:" +
         fixed(share, 2) + "%'></i></div>\n</section>\n";
}

}  // namespace casvit::trainer
