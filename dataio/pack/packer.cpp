#include "dataio/pack/packer.h"

#include <filesystem>
#include <utility>

#include "dataio/container/display.h"
#include "dataio/container/pending_file.h"
#include "dataio/container/writer.h"
#include "dataio/error.h"
#include "dataio/pack/parallel_for.h"
#include "dataio/pack/plan.h"
#include "dataio/pack/source_file.h"

namespace casvit::dataio {
namespace {

std::string full_path(const PackOptions& options, const Candidate& candidate) {
  return options.source + "/" + candidate.path;
}

void inspect(const PackOptions& options, const PackProgress& progress, PackPlan& plan) {
  const auto look = [&options, &plan](std::uint64_t i) {
    thread_local std::vector<std::uint8_t> bytes;
    Candidate& candidate = plan.candidates[i];
    try {
      read_source_file(full_path(options, candidate), bytes);
      candidate.facts = inspect_picture(bytes);
    } catch (const InputError& error) {
      candidate.rejected = error.what();
      if (options.on_error == OnError::kFail) {
        throw InputError(display_path(full_path(options, candidate)) + ": " + error.what() +
                         "; repair or remove it, or leave such files out with --on-error "
                         "quarantine");
      }
    }
  };
  const std::uint64_t total = plan.candidates.size();
  parallel_for(total, options.workers, look,
               [&progress, total](std::uint64_t done) { progress("checking", done, total); });
}

std::string output_path(const PackOptions& options, const std::vector<std::string>& parts,
                        std::size_t part) {
  const bool alone = parts.size() == 1 && options.split.empty();
  return alone ? options.output : part_path(options.output, parts[part]);
}

/// A mistyped output folder should not cost the time of reading every picture first.
void check_outputs(const PackOptions& options, const PackPlan& plan) {
  std::vector<std::string> parts = plan.parts;
  if (!options.split.empty()) parts.clear();
  for (const SplitShare& share : options.split) parts.push_back(share.name);
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const PendingFile checked(output_path(options, parts, p));
  }
}

/// One output: its writer, and the pictures that go there in order.
struct Part {
  std::string name;
  std::vector<const Candidate*> pictures;
  ContainerWriter writer;
};

ContainerWriter make_writer(const PackOptions& options, const PackPlan& plan, std::size_t part,
                            const std::vector<const Candidate*>& pictures) {
  ContainerDescription description;
  description.split = plan.parts[part];
  description.normalization = options.normalization;
  description.created = options.created;
  description.tool_version = options.tool_version;
  description.command_line = options.command_line;
  description.class_names = plan.classes;
  std::vector<SampleDescription> samples;
  samples.reserve(pictures.size());
  for (const Candidate* picture : pictures) {
    samples.push_back({.length = picture->facts.length,
                       .height = static_cast<std::uint32_t>(picture->facts.header.height),
                       .width = static_cast<std::uint32_t>(picture->facts.header.width),
                       .codec = picture->facts.header.codec,
                       .orientation = picture->facts.orientation,
                       .label = picture->label,
                       .source = picture->path});
  }
  return {output_path(options, plan.parts, part), description, samples};
}

std::vector<Part> open_parts(const PackOptions& options, const PackPlan& plan) {
  std::vector<std::vector<const Candidate*>> pictures(plan.parts.size());
  for (const Candidate& candidate : plan.candidates) {
    if (candidate.rejected.empty()) pictures[candidate.part].push_back(&candidate);
  }
  std::vector<Part> parts;
  for (std::size_t p = 0; p < plan.parts.size(); ++p) {
    ContainerWriter writer = make_writer(options, plan, p, pictures[p]);
    parts.push_back({plan.parts[p], std::move(pictures[p]), std::move(writer)});
  }
  return parts;
}

void copy_picture(const PackOptions& options, Part& part, std::uint64_t sample) {
  thread_local std::vector<std::uint8_t> bytes;
  const Candidate& picture = *part.pictures[sample];
  const std::string path = full_path(options, picture);
  try {
    read_source_file(path, bytes);
  } catch (const InputError& error) {
    throw InputError(display_path(path) + ": " + error.what());
  }
  if (bytes.size() != picture.facts.length ||
      part.writer.write(sample, bytes) != picture.facts.xxh3) {
    throw InputError(display_path(path) + ": it changed while it was being packed; pack again");
  }
}

void copy(const PackOptions& options, const PackProgress& progress, std::vector<Part>& parts) {
  std::vector<std::pair<Part*, std::uint64_t>> work;
  for (Part& part : parts) {
    for (std::uint64_t i = 0; i < part.pictures.size(); ++i) work.emplace_back(&part, i);
  }
  parallel_for(
      work.size(), options.workers,
      [&options, &work](std::uint64_t i) { copy_picture(options, *work[i].first, work[i].second); },
      [&progress, &work](std::uint64_t done) { progress("packing", done, work.size()); });
}

PackedFile describe(const Part& part, std::size_t classes) {
  PackedFile file;
  file.path = part.writer.path();
  file.split = part.name;
  file.samples = part.pictures.size();
  file.file_bytes = part.writer.file_bytes();
  file.index_hash = part.writer.index_hash();
  file.class_counts.resize(classes);
  for (const Candidate* picture : part.pictures) {
    ++file.class_counts[static_cast<std::size_t>(picture->label)];
  }
  return file;
}

}  // namespace

std::string part_path(const std::string& output, const std::string& part) {
  const std::filesystem::path path(output);
  const std::string extension = path.extension().string();
  if (extension != ".h5" && extension != ".hdf5") return output + "." + part + ".h5";
  return output.substr(0, output.size() - extension.size()) + "." + part + extension;
}

PackResult pack(const PackOptions& options, const PackProgress& progress) {
  PackPlan plan = plan_from_folder(options);
  check_outputs(options, plan);
  inspect(options, progress, plan);
  assign_split(options, plan);
  check_classes_filled(options, plan);

  std::vector<Part> parts = open_parts(options, plan);
  copy(options, progress, parts);
  for (std::size_t p = 0; p < parts.size(); ++p) {
    parts[p].writer.seal();
    progress("sealing", p + 1, parts.size());  // the disk may have taken long: a last way out
  }
  for (Part& part : parts) part.writer.publish();

  PackResult result;
  result.classes = plan.classes;
  for (const Part& part : parts) result.files.push_back(describe(part, plan.classes.size()));
  for (const Candidate& candidate : plan.candidates) {
    if (!candidate.rejected.empty()) {
      result.rejected.push_back({candidate.path, candidate.rejected});
    }
  }
  result.ignored = plan.ignored;
  result.ignored_examples = plan.ignored_examples;
  return result;
}

}  // namespace casvit::dataio
