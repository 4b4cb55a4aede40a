#include "trainer/telemetry/prometheus_text.h"

#include <cmath>

#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

std::string_view name_of(PrometheusText::Type type) {
  switch (type) {
    case PrometheusText::Type::kCounter:
      return "counter";
    case PrometheusText::Type::kGauge:
      return "gauge";
    case PrometheusText::Type::kHistogram:
      return "histogram";
  }
  return "untyped";
}

/// Help escapes backslash and line feed, a label's value quotes too. Neither has room for bytes
/// that are no UTF-8.
std::string escaped(std::string_view bytes, bool quotes) {
  std::string out;
  for (const char c : sanitize_utf8(bytes)) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '\\' || (quotes && c == '"')) out += '\\';
      out += c;
    }
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return shortest(value);
}

}  // namespace

PrometheusText& PrometheusText::family(std::string_view name, Type type, std::string_view help) {
  name_ = name;
  text_ += "# HELP " + name_ + " " + escaped(help, false) + "\n# TYPE " + name_ + " ";
  text_ += name_of(type);
  text_ += '\n';
  return *this;
}

PrometheusText& PrometheusText::sample(double value, Labels labels) {
  line("", labels, value);
  return *this;
}

PrometheusText& PrometheusText::histogram(std::span<const double> bounds,
                                          std::span<const std::uint64_t> counts, double sum) {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    below += counts[i];
    const std::string bound = i < bounds.size() ? number(bounds[i]) : "+Inf";
    line("_bucket", {{"le", bound}}, static_cast<double>(below));
  }
  line("_sum", {}, sum);
  line("_count", {}, static_cast<double>(below));
  return *this;
}

void PrometheusText::line(std::string_view suffix, Labels labels, double value) {
  text_ += name_;
  text_ += suffix;
  const char* separator = "{";
  for (const auto& [name, content] : labels) {
    text_ += separator;
    text_ += name;
    text_ += "=\"" + escaped(content, true) + "\"";
    separator = ",";
  }
  if (labels.size() > 0) text_ += '}';
  text_ += " " + number(value) + "\n";
}

}  // namespace casvit::trainer
