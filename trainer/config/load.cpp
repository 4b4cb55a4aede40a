#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "trainer/config/config.h"
#include "trainer/config/nearest_key.h"
#include "trainer/config/origins.h"
#include "trainer/config/value.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

/// Reads YAML nodes and overrides into a Config, remembering where each value came from.
class Reader {
 public:
  void read_document(const YAML::Node& root, const std::string& name) {
    if (root.IsNull()) return;  // nothing but comments: all defaults
    if (!root.IsMap()) {
      throw ConfigError(at(name, root) + ": a configuration is made of sections such as\n" +
                        "model:\n  name: rcvit_xs");
    }
    read_map(root, "", name);
  }

  void read_override(const Override& given) {
    const std::string place = "--set " + given.key + "=" + given.value;
    const Field* field = find_field(given.key);
    if (field == nullptr && is_section(given.key)) {
      throw ConfigError(place + ": " + given.key + " is a section; set one of its keys, e.g. " +
                        first_key(given.key));
    }
    if (field == nullptr) refuse_unknown(place, given.key);
    read_field(*field, parse_givenvalue(*field, given.value, place), place);
  }

  const Config& config() const { return config_; }
  const Origins& origins() const { return origins_; }

 private:
  static std::string at(const std::string& name, const YAML::Node& node) {
    const int line = node.Mark().line;
    return line < 0 ? name : name + ":" + std::to_string(line + 1);
  }

  [[noreturn]] static void refuse_unknown(const std::string& place, const std::string& key) {
    throw ConfigError(place + ": unknown key " + key + "; did you mean " + nearest_key(key) + "?");
  }

  [[noreturn]] static void refuse_second(const std::string& place, const std::string& key,
                                         const std::string& first) {
    throw ConfigError(place + ": " + key + " is given twice, first at " + first + "; keep one");
  }

  void read_map(const YAML::Node& map, const std::string& section, const std::string& name) {
    std::map<std::string, std::string> seen;
    for (const auto& entry : map) {
      const std::string place = at(name, entry.first);
      if (!entry.first.IsScalar()) {
        throw ConfigError(place + ": a key must be a name such as train.epochs");
      }
      const std::string key =
          section.empty() ? entry.first.Scalar() : section + "." + entry.first.Scalar();
      const auto [first, is_new] = seen.emplace(key, place);
      if (!is_new) refuse_second(place, key, first->second);
      if (section.empty() && is_section(key)) {
        read_section(entry.second, key, name, place);
      } else if (const Field* field = find_field(key); field == nullptr) {
        refuse_unknown_entry(entry.second, section, key, place);
      } else if (key.find('.') != std::string::npos && section.empty()) {
        const std::size_t dot = key.find('.');
        throw ConfigError(place + ": a key with a dot is for --set; in a file write\n" +
                          key.substr(0, dot) + ":\n  " + key.substr(dot + 1) + ": ...");
      } else {
        read_field(*field, entry.second, place);
      }
    }
  }

  void read_section(const YAML::Node& node, const std::string& section, const std::string& name,
                    const std::string& place) {
    if (node.IsNull()) return;  // a section whose keys are all commented out
    if (!node.IsMap()) {
      throw ConfigError(place + ": " + section + " is a section: put its keys below it, indented," +
                        " e.g. " + first_key(section));
    }
    read_map(node, section, name);
  }

  static void refuse_unknown_entry(const YAML::Node& node, const std::string& section,
                                   const std::string& key, const std::string& place) {
    if (section.empty() && node.IsMap()) {
      throw ConfigError(place + ": unknown section " + key + "; did you mean " +
                        nearest_section(key) + "?");
    }
    refuse_unknown(place, key);
  }

  void read_field(const Field& field, const YAML::Node& node, const std::string& place) {
    try {
      std::visit([&](auto member) { read_value(node, member(config_)); }, field.member);
      check_permitted(field, config_);
    } catch (const ValueError& error) {
      throw ConfigError(place + ": " + std::string(field.key) + " " + error.what());
    }
    origins_[std::string(field.key)] = place;
  }

  /// Texts and file names are taken as they are unless they are written as a YAML list or in
  /// quotes, so that `--set data.train=*.h5` needs no second quoting.
  static YAML::Node parse_givenvalue(const Field& field, const std::string& value,
                                     const std::string& place) {
    const bool text = std::holds_alternative<Member<std::string>>(field.member) ||
                      std::holds_alternative<Member<std::vector<std::string>>>(field.member);
    const bool yaml = value.empty() || value == "null" || value == "~" ||
                      std::string_view("[\"'").find(value[0]) != std::string_view::npos;
    if (text && !yaml) return YAML::Node(value);
    try {
      return YAML::Load(value);
    } catch (const YAML::Exception& error) {
      throw ConfigError(place + ": not a YAML value (" + error.msg + ")");
    }
  }

  Config config_;
  Origins origins_;
};

std::string read_file(const std::string& path) {
  const auto refuse = [&](int error) {
    throw ConfigError("cannot read the configuration " + path + ": " + std::strerror(error) +
                      "; give a YAML file with --config");
  };
  std::error_code ignored;  // a path that cannot even be looked at fails to open below
  if (std::filesystem::is_directory(path, ignored)) refuse(EISDIR);
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(errno);
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) refuse(errno);
  return text.str();
}

std::vector<YAML::Node> parse_documents(const std::string& yaml, const std::string& name) {
  try {
    return YAML::LoadAll(yaml);
  } catch (const YAML::Exception& error) {
    const std::string line = error.mark.is_null() ? "" : ":" + std::to_string(error.mark.line + 1);
    throw ConfigError(name + line + ": not valid YAML: " + error.msg +
                      "; indent with spaces, and quote a text that begins with one of * & ! % @ {");
  }
}

}  // namespace

namespace {

LoadedConfig parse(const std::string& yaml, const std::string& name,
                   const std::vector<Override>& overrides) {
  Reader reader;
  const std::vector<YAML::Node> documents = parse_documents(yaml, name);
  if (documents.size() > 1) {
    throw ConfigError(name + ":" + std::to_string(documents[1].Mark().line + 1) +
                      ": a second YAML document begins; a configuration is one");
  }
  if (!documents.empty()) reader.read_document(documents[0], name);
  for (const Override& given : overrides) reader.read_override(given);
  check_combinations(reader.config(), reader.origins());
  return {reader.config(), reader.origins()};
}

}  // namespace

Config parse_config(const std::string& yaml, const std::string& name,
                    const std::vector<Override>& overrides) {
  return parse(yaml, name, overrides).config;
}

LoadedConfig load_config_with_origins(const std::string& path,
                                      const std::vector<Override>& overrides) {
  return parse(path.empty() ? std::string() : read_file(path), path, overrides);
}

Config load_config(const std::string& path, const std::vector<Override>& overrides) {
  return load_config_with_origins(path, overrides).config;
}

Override parse_override(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw ConfigError("--set " + text + ": write key=value, e.g. --set train.epochs=40");
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

}  // namespace casvit::trainer
