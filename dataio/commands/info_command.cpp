#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <vector>

#include "dataio/commands/commands.h"
#include "dataio/commands/json_text.h"
#include "dataio/commands/progress_line.h"
#include "dataio/commands/table.h"
#include "dataio/container/display.h"
#include "dataio/container/reader.h"
#include "dataio/image/decode.h"

namespace casvit::dataio {
namespace {

struct InfoArguments {
  std::vector<std::string> files;
  bool json = false;
};

std::string triple_text(const std::array<float, 3>& values) {
  std::ostringstream text;
  text << values[0] << ", " << values[1] << ", " << values[2];
  return text.str();
}

std::map<std::string, std::uint64_t> codec_counts(const ContainerIndex& index) {
  std::map<std::string, std::uint64_t> counts;
  for (const std::uint8_t codec : index.codec) {
    ++counts[std::string(codec_name(static_cast<Codec>(codec)))];
  }
  return counts;
}

/// Smallest and largest value of a non-empty array.
std::array<std::uint32_t, 2> range_of(const std::vector<std::uint32_t>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {*low, *high};
}

nlohmann::ordered_json info_json(const ContainerReader& reader) {
  const ContainerAttributes& attributes = reader.attributes();
  const ContainerIndex& index = reader.index();
  return {{"path", reader.path()},
          {"schema", {attributes.schema_major, attributes.schema_minor}},
          {"split", attributes.split},
          {"samples", index.samples()},
          {"bytes", reader.file_bytes()},
          {"classes", index.class_names},
          {"class_counts", index.class_counts},
          {"codecs", codec_counts(index)},
          {"height", range_of(index.height)},
          {"width", range_of(index.width)},
          {"mean", attributes.normalization.mean},
          {"std", attributes.normalization.std},
          {"created", attributes.created},
          {"tool_version", attributes.tool_version},
          {"command_line", attributes.command_line},
          {"index_hash", hash_text(attributes.index_hash)}};
}

std::string range_text(const std::vector<std::uint32_t>& values) {
  const auto [low, high] = range_of(values);
  return low == high ? std::to_string(low) : std::to_string(low) + " to " + std::to_string(high);
}

void print_info(const ContainerReader& reader) {
  const ContainerAttributes& attributes = reader.attributes();
  const ContainerIndex& index = reader.index();
  std::string codecs;
  for (const auto& [name, count] : codec_counts(index)) {
    codecs += (codecs.empty() ? "" : ", ") + std::to_string(count) + " " + name;
  }
  std::cout << display_path(reader.path()) << "\n"
            << "  split         " << display_path(attributes.split) << "\n"
            << "  pictures      " << index.samples() << " (" << codecs << "), "
            << bytes_text(reader.file_bytes()) << "\n"
            << "  pixels        width " << range_text(index.width) << ", height "
            << range_text(index.height) << "\n"
            << "  mean          " << triple_text(attributes.normalization.mean) << "\n"
            << "  std           " << triple_text(attributes.normalization.std) << "\n"
            << "  created       " << display_path(attributes.created) << " by "
            << display_path(attributes.tool_version) << ", schema " << attributes.schema_major
            << "." << attributes.schema_minor << "\n"
            << "  command line  " << display_path(attributes.command_line) << "\n"
            << "  index hash    " << hash_text(attributes.index_hash) << "\n";
  std::vector<std::vector<std::string>> rows;
  for (std::size_t c = 0; c < index.class_names.size(); ++c) {
    rows.push_back(
        {"  " + display_path(index.class_names[c]), std::to_string(index.class_counts[c])});
  }
  std::cout << "  " << index.class_names.size() << " classes\n" << table_text(rows);
}

launch::ExitCode run_info(const InfoArguments& arguments) {
  auto files = nlohmann::ordered_json::array();
  for (const std::string& file : arguments.files) {
    const ContainerReader reader(file);
    if (arguments.json) {
      files.push_back(info_json(reader));
    } else {
      print_info(reader);
    }
  }
  if (arguments.json) std::cout << json_text({{"files", files}});
  return launch::ExitCode::kDone;
}

}  // namespace

Command add_info_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("info",
                                         "Example: casvit-pack info photos.h5\n\n"
                                         "Tells what packed files hold, after checking their index "
                                         "(but not the pictures: see verify).");
  auto arguments = std::make_shared<InfoArguments>();
  command->add_option("FILE", arguments->files, "packed files")->required();
  command->add_flag("--json", arguments->json, "print it as JSON");
  return [arguments] { return run_info(*arguments); };
}

}  // namespace casvit::dataio
