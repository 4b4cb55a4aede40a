#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataio/pack/packer.h"
#include "dataio/pack/source_file.h"

namespace casvit::dataio {

/// A picture file that may be packed.
struct Candidate {
  std::string path;        ///< relative to the source folder, as it will be stored
  std::int32_t label = 0;  ///< index into PackPlan::classes
  std::size_t part = 0;    ///< index into PackPlan::parts
  PictureFacts facts;      ///< after inspection
  std::string rejected;    ///< why it cannot be packed; empty for a usable picture
};

/// What is to be packed into which files.
struct PackPlan {
  std::vector<std::string> classes;
  std::vector<std::string> parts;  ///< names of the parts; {"all"} where there is one file
  std::vector<Candidate> candidates;
  std::uint64_t ignored = 0;
  std::vector<std::string> ignored_examples;
};

/// Lists the source folder; opens no picture. Where folders make the parts, their class lists are
/// merged. @throws UsageError also for a split asked of a folder that is split already.
PackPlan plan_from_folder(const PackOptions& options);

/// Deals the usable pictures to the parts of `options.split`, where there is one.
void assign_split(const PackOptions& options, PackPlan& plan);

/// @throws UsageError naming a part and a class without a usable picture, unless
///         `allow_empty_classes`; and a part without any picture in any case.
void check_classes_filled(const PackOptions& options, const PackPlan& plan);

}  // namespace casvit::dataio
