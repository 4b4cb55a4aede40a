#pragma once

#include <string>

#include "trainer/report/metrics.h"

namespace casvit::trainer {

/// One line of metrics.jsonl, without its end. Numbers read back exactly; one that is not finite is
/// null; what was not measured is left out.
std::string to_json_line(const StepMetrics& metrics);
std::string to_json_line(const EpochMetrics& metrics);
std::string to_json_line(const RankMetrics& metrics);
std::string to_json_line(const StartMetrics& metrics);
std::string to_json_line(const PauseMetrics& metrics);

/// One line of metrics.csv, without its end. Steps and epochs share the columns of `csv_header`:
/// those of the other kind, what was not measured and what is not finite are empty.
std::string csv_header();
std::string to_csv_line(const StepMetrics& metrics);
std::string to_csv_line(const EpochMetrics& metrics);

/// Adds a line of metrics.jsonl to `history`. null reads back as NaN.
/// @returns the step it belongs to. @throws std::exception where it is no such line.
std::int64_t parse_json_line(const std::string& line, History& history);

}  // namespace casvit::trainer
