#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace casvit::trainer {

/// Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats): families of
/// samples, each headed by its help and type. Names are the caller's to choose; texts are escaped.
class PrometheusText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  enum class Type { kCounter, kGauge, kHistogram };

  /// Heads the samples that follow. @param name in base units, e.g. casvit_images_total
  PrometheusText& family(std::string_view name, Type type, std::string_view help);
  /// One of the family last named. @param labels values of any bytes
  PrometheusText& sample(double value, Labels labels = {});
  /// The samples of a histogram. @param bounds upper ones, ascending, without infinity
  /// @param counts of each bound's own bucket, and of what is above all of them
  PrometheusText& histogram(std::span<const double> bounds, std::span<const std::uint64_t> counts,
                            double sum);

  const std::string& text() const { return text_; }

 private:
  void line(std::string_view suffix, Labels labels, double value);

  std::string text_;
  std::string name_;
};

}  // namespace casvit::trainer
