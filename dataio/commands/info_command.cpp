#include <array>
#include <iostream>
#include <map>
#include <memory>
#include <vector>

#include "dataio/commands/commands.h"
#include "dataio/commands/distribution_report.h"
#include "dataio/commands/json_text.h"
#include "dataio/commands/progress_line.h"
#include "dataio/container/display.h"
#include "dataio/container/glob_paths.h"
#include "dataio/container/reader.h"
#include "dataio/image/decode.h"

namespace casvit::dataio {
namespace {

struct InfoArguments {
  std::vector<std::string> files;
  bool json = false;
};

std::map<std::string, std::uint64_t> codec_counts(const MappedIndex& index) {
  std::map<std::string, std::uint64_t> counts;
  for (const std::uint8_t codec : index.codec) {
    ++counts[std::string(codec_name(static_cast<Codec>(codec)))];
  }
  return counts;
}

/// Pictures of each EXIF orientation, 1 to 8.
std::array<std::uint64_t, 8> orientation_counts(const MappedIndex& index) {
  std::array<std::uint64_t, 8> counts{};
  for (const std::uint8_t orientation : index.orientation) ++counts.at(orientation - 1U);
  return counts;
}

std::uint64_t picture_bytes(const MappedIndex& index) {
  std::uint64_t bytes = 0;
  for (const std::uint32_t length : index.length) bytes += length;
  return bytes;
}

nlohmann::ordered_json info_json(const ContainerReader& reader) {
  const ContainerAttributes& attributes = reader.attributes();
  const MappedIndex& index = reader.index();
  const SizeDistribution sizes = size_distribution(index);
  const auto range = [](const Quantiles& q) {
    return std::array{static_cast<std::uint32_t>(q.least), static_cast<std::uint32_t>(q.greatest)};
  };
  return {{"path", reader.path()},
          {"schema", {attributes.schema_major, attributes.schema_minor}},
          {"split", attributes.split},
          {"samples", index.samples()},
          {"bytes", reader.file_bytes()},
          {"picture_bytes", picture_bytes(index)},
          {"classes", index.class_names},
          {"class_counts", index.class_counts},
          {"balance", balance_json(reader)},
          {"codecs", codec_counts(index)},
          {"orientations", orientation_counts(index)},
          {"height", range(sizes.height)},
          {"width", range(sizes.width)},
          {"sizes", sizes_json(sizes)},
          {"mean", attributes.normalization.mean},
          {"std", attributes.normalization.std},
          {"created", attributes.created},
          {"tool_version", attributes.tool_version},
          {"command_line", attributes.command_line},
          {"index_hash", hash_text(attributes.index_hash)}};
}

std::string codecs_text(const MappedIndex& index) {
  std::string text;
  for (const auto& [name, count] : codec_counts(index)) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + name;
  }
  return text;
}

std::string orientations_text(const MappedIndex& index) {
  const auto counts = orientation_counts(index);
  if (counts[0] == index.samples()) return "all upright";
  std::string text = std::to_string(counts[0]) + " upright";
  for (std::size_t i = 1; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    text += ", " + std::to_string(counts[i]) + " with EXIF orientation " + std::to_string(i + 1);
  }
  return text;
}

void print_info(const ContainerReader& reader) {
  const ContainerAttributes& attributes = reader.attributes();
  const MappedIndex& index = reader.index();
  std::cout << display_path(reader.path()) << "\n"
            << "  split         " << display_path(attributes.split) << "\n"
            << "  pictures      " << index.samples() << " (" << codecs_text(index) << "), "
            << bytes_text(picture_bytes(index)) << " in a file of "
            << bytes_text(reader.file_bytes()) << "\n"
            << "  orientation   " << orientations_text(index) << "\n"
            << "  mean          " << triple_text(attributes.normalization.mean) << "\n"
            << "  std           " << triple_text(attributes.normalization.std) << "\n"
            << "  created       " << display_path(attributes.created) << " by "
            << display_path(attributes.tool_version) << ", schema " << attributes.schema_major
            << "." << attributes.schema_minor << "\n"
            << "  command line  " << display_path(attributes.command_line) << "\n"
            << "  index hash    " << hash_text(attributes.index_hash) << "\n"
            << sizes_text(size_distribution(index)) << classes_text(reader);
}

launch::ExitCode run_info(const InfoArguments& arguments) {
  auto files = nlohmann::ordered_json::array();
  for (const std::string& file : expand_files(arguments.files)) {
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

Command add_info_command(launch::CommandLine& program) {
  launch::CommandLine command =
      program.subcommand("info",
                         "Example: casvit-pack info photos.h5\n\n"
                         "Tells what packed files hold, after checking their index "
                         "(but not the pictures: see verify): their pictures, sizes, "
                         "classes and where they come from.");
  auto arguments = std::make_shared<InfoArguments>();
  command.option("FILE", arguments->files, "packed files").required();
  command.flag("--json", arguments->json, "print it as JSON");
  return [arguments] { return run_info(*arguments); };
}

}  // namespace casvit::dataio
