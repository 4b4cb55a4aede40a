#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "dataio/pack/image_folder.h"
#include "dataio/pack/packer.h"

namespace casvit::dataio {

inline constexpr std::uint32_t kNoArchive = std::numeric_limits<std::uint32_t>::max();

/// A picture that may be packed: a file, or a member of an archive.
struct Candidate {
  std::string path;  ///< as it will be stored; of a file: relative to PackPlan::root, or absolute
  std::int32_t label = 0;              ///< index into PackPlan::classes
  std::uint32_t part = 0;              ///< index into PackPlan::parts
  std::uint32_t archive = kNoArchive;  ///< index into PackPlan::archives
  std::uint64_t offset = 0;            ///< in the archive
  std::uint64_t bytes = 0;             ///< in the archive
};

/// What is to be packed into which files.
struct PackPlan {
  std::string root;  ///< folder that the paths of files are relative to
  std::vector<std::string> archives;
  std::vector<std::string> classes;
  std::vector<std::string> parts;  ///< names of the parts; {"all"} where there is one file
  std::vector<Candidate> candidates;
  std::map<std::uint64_t, std::string> unusable;  ///< candidates known to be bad, and why
  bool divided = false;                           ///< whether the source itself made the parts
  std::uint64_t ignored = 0;
  std::vector<std::string> ignored_examples;
};

/// Lists the source, whatever its kind; opens no picture. `options.split` is carried out.
/// @param tick called about ten times a second with how many files, lines or members were found;
/// may
///        be empty. What it throws comes out of this.
/// @throws UsageError also for a split asked of a source that is divided already; InputError
PackPlan make_plan(const PackOptions& options,
                   const std::function<void(std::uint64_t)>& tick = nullptr);

/// The plan of a folder of class folders. Where folders make the parts, their class lists are
/// merged; what lies beside these folders is counted as ignored.
PackPlan plan_from_folder(const std::string& root, const OnListed& on_listed = nullptr);

/// Deals the pictures to the parts of `options.split`, where there is one. What turns out to be
/// rejected later leaves a gap in its part and moves no other picture.
void assign_split(const PackOptions& options, PackPlan& plan);

/// A hash over everything that says which pictures are packed where.
std::uint64_t plan_hash(const PackPlan& plan);

/// @param counts pictures that can be used, `[parts][classes]`
/// @param rejected "; 3 rejected there, ..." or nothing, for a class that has none
/// @throws UsageError naming a part and a class without a usable picture, unless
///         `allow_empty_classes`; and a part without any picture in any case.
void check_classes_filled(const PackOptions& options, const PackPlan& plan,
                          const std::vector<std::vector<std::uint64_t>>& counts,
                          const std::function<std::string(std::int32_t)>& rejected);

}  // namespace casvit::dataio
