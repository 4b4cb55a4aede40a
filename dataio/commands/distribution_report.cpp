#include "dataio/commands/distribution_report.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <sstream>
#include <utility>
#include <vector>

#include "dataio/commands/bars.h"
#include "dataio/commands/progress_line.h"
#include "dataio/container/display.h"

namespace casvit::dataio {
namespace {

constexpr std::size_t kClassesShown = 100;
constexpr std::size_t kBinsShown = 100;
constexpr const char* kIndent = "    ";

using Counts = std::vector<std::pair<std::string, std::uint64_t>>;

Counts counts_of(const std::vector<Bin>& bins) {
  Counts counts;
  for (const Bin& bin : bins) counts.emplace_back(bin.name, bin.count);
  return counts;
}

std::string number_text(double value, const char* format) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string pixels_text(const Quantiles& q) {
  const auto whole = [](double value) { return number_text(value, "%.0f"); };
  if (q.least == q.greatest) return whole(q.least);
  return whole(q.least) + " to " + whole(q.greatest) + ", half at most " + whole(q.median);
}

nlohmann::ordered_json quantiles_json(const Quantiles& q) {
  return {{"min", q.least},
          {"p10", q.tenth},
          {"median", q.median},
          {"p90", q.ninetieth},
          {"max", q.greatest}};
}

nlohmann::ordered_json bins_json(const std::vector<Bin>& bins) {
  auto list = nlohmann::ordered_json::array();
  for (const Bin& bin : bins) list.push_back({{"bin", bin.name}, {"count", bin.count}});
  return list;
}

}  // namespace

std::string sizes_text(const SizeDistribution& sizes) {
  const auto ratio = [](double value) { return number_text(value, "%.2f"); };
  std::string text =
      "  width         " + pixels_text(sizes.width) + "\n  height        " +
      pixels_text(sizes.height) + "\n  aspect ratio  " + ratio(sizes.aspect_ratio.least) + " to " +
      ratio(sizes.aspect_ratio.greatest) + ", half at most " + ratio(sizes.aspect_ratio.median) +
      " (width / height)\n" + "  picture       " +
      bytes_text(static_cast<std::uint64_t>(sizes.bytes.least)) + " to " +
      bytes_text(static_cast<std::uint64_t>(sizes.bytes.greatest)) + ", half at most " +
      bytes_text(static_cast<std::uint64_t>(sizes.bytes.median)) + "\n";
  text += "\n  shorter side, pixels\n" + bars_text(counts_of(sizes.sides), kIndent, kBinsShown);
  text += "\n  width : height\n" + bars_text(counts_of(sizes.aspects), kIndent, kBinsShown);
  return text;
}

nlohmann::ordered_json sizes_json(const SizeDistribution& sizes) {
  return {{"width", quantiles_json(sizes.width)},
          {"height", quantiles_json(sizes.height)},
          {"shorter_side", quantiles_json(sizes.shorter_side)},
          {"aspect_ratio", quantiles_json(sizes.aspect_ratio)},
          {"bytes", quantiles_json(sizes.bytes)},
          {"shorter_side_bins", bins_json(sizes.sides)},
          {"aspect_ratio_bins", bins_json(sizes.aspects)}};
}

std::string classes_text(const ContainerReader& reader) {
  const MappedIndex& index = reader.index();
  Counts counts;
  for (std::size_t c = 0; c < index.class_names.size(); ++c) {
    counts.emplace_back(display_path(index.class_names[c]), index.class_counts[c]);
  }
  const ClassBalance balance = class_balance(index.class_counts);
  std::string text = "\n  " + std::to_string(counts.size()) + " classes, " +
                     std::to_string(balance.least) + " to " + std::to_string(balance.greatest) +
                     " pictures each";
  if (balance.least > 0) text += " (1 : " + number_text(balance.ratio, "%.1f") + ")";
  text += ", evenness " + number_text(balance.evenness, "%.3f") + " of 1\n";
  return text + bars_text(counts, kIndent, kClassesShown);
}

nlohmann::ordered_json balance_json(const ContainerReader& reader) {
  const ClassBalance balance = class_balance(reader.index().class_counts);
  nlohmann::ordered_json ratio;  // null where a class is empty
  if (std::isfinite(balance.ratio)) ratio = balance.ratio;
  return {{"least", balance.least},
          {"greatest", balance.greatest},
          {"ratio", ratio},
          {"evenness", balance.evenness}};
}

std::string triple_text(const std::array<float, 3>& values) {
  std::ostringstream text;
  text << values[0] << ", " << values[1] << ", " << values[2];
  return text.str();
}

}  // namespace casvit::dataio
