#include "trainer/config/config.h"
#include "trainer/config/origins.h"
#include "trainer/config/value.h"

namespace casvit::trainer {
namespace {

std::string_view section_of(std::string_view key) {
  const std::size_t dot = key.find('.');
  return dot == std::string_view::npos ? std::string_view() : key.substr(0, dot);
}

/// A cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

/// @param comment of each key, after its value; asked for where `comments`
template <typename Comment>
std::string print_all(const Config& config, bool comments, Comment comment) {
  std::string out;
  std::string_view section;
  for (const Field& field : fields()) {
    if (section_of(field.key) != section) {
      section = section_of(field.key);
      if (comments) out += '\n';
      out += std::string(section) + ":\n";
    }
    const std::string_view name =
        section.empty() ? field.key : field.key.substr(section.size() + 1);
    if (!section.empty()) out += "  ";
    out += std::string(name) + ": " + print_field(field, config);
    if (comments) out += "  # " + comment(field);
    out += '\n';
  }
  return out;
}

}  // namespace

std::string to_yaml(const Config& config, bool comments) {
  return print_all(config, comments,
                   [](const Field& field) { return std::string(field.description); });
}

std::string to_yaml(const LoadedConfig& loaded) {
  return print_all(loaded.config, true, [&](const Field& field) {
    const auto origin = loaded.origins.find(field.key);
    return (origin == loaded.origins.end() ? "default" : "from " + origin->second) + "; " +
           std::string(field.description);
  });
}

std::string config_reference() {
  const Config defaults;
  std::string out = "| key | default | type | permitted | meaning |\n|---|---|---|---|---|\n";
  for (const Field& field : fields()) {
    out += "| `" + std::string(field.key) + "` | `" + cell(print_field(field, defaults)) + "` | " +
           type_name(field) + " | " + cell(describe(field.permitted)) + " | " +
           cell(field.description) + " |\n";
  }
  return out;
}

std::vector<KeyValue> key_values(const Config& config) {
  const Config defaults;
  std::vector<KeyValue> out;
  out.reserve(fields().size());
  for (const Field& field : fields()) {
    out.push_back(
        {std::string(field.key), print_field(field, config), print_field(field, defaults)});
  }
  return out;
}

std::vector<std::string> differences(const Config& before, const Config& after) {
  std::vector<std::string> out;
  for (const Field& field : fields()) {
    std::string change = std::string(field.key) + ": ";
    const std::string old_value = print_field(field, before);
    const std::string new_value = print_field(field, after);
    if (old_value == new_value) continue;
    change.append(old_value).append(" -> ").append(new_value);
    out.push_back(std::move(change));
  }
  return out;
}

}  // namespace casvit::trainer
