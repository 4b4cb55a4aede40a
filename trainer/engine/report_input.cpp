#include "trainer/engine/report_input.h"

#include <chrono>
#include <filesystem>

#include "dataio/error.h"
#include "dataio/preview/thumbnail.h"
#include "trainer/config/origins.h"
#include "trainer/engine/versions.h"

namespace casvit::trainer {
namespace {

/// A picture that cannot be read says why instead: a report is also there to show that.
Thumbnail thumbnail_of(const dataio::Dataset& data, std::uint64_t sample) {
  try {
    const std::vector<std::uint8_t> bytes = dataio::thumbnail_jpeg(data, sample, kThumbnailSide);
    return {"image/jpeg", {bytes.begin(), bytes.end()}, ""};
  } catch (const dataio::InputError& error) {
    return {"", "", error.what()};
  }
}

}  // namespace

ReportInput report_input(const Config& config, const dataio::Dataset& data) {
  ReportInput input;
  input.title =
      config.model.name + " on " + std::filesystem::path(data.files().front()).filename().string();
  input.classes = data.class_names();
  input.path = [&data](std::uint64_t sample) { return data.source_path(sample); };
  input.thumbnail = [&data](std::uint64_t sample) { return thumbnail_of(data, sample); };
  input.config_yaml = to_yaml(config);
  const std::vector<KeyValue> values = key_values(config);
  input.config_values.reserve(values.size());
  for (const KeyValue& one : values) {
    input.config_values.push_back({one.key, one.value, one.default_value});
  }
  input.versions = versions();
  input.written =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  return input;
}

}  // namespace casvit::trainer
