#include "trainer/engine/pictures.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <unordered_map>

#include "dataio/container/dataset.h"
#include "dataio/container/display.h"
#include "dataio/container/glob_paths.h"
#include "dataio/error.h"
#include "dataio/image/decode.h"
#include "dataio/image/jpeg_encode.h"
#include "dataio/image/orientation.h"
#include "dataio/image/upright.h"
#include "dataio/pack/image_folder.h"
#include "dataio/preview/fitted.h"
#include "trainer/checkpoint/input_file.h"
#include "trainer/error.h"

namespace casvit::trainer {

namespace fs = std::filesystem;

struct Pictures::State {
  struct File {
    std::string place;  ///< where it lies
    std::string shown;
    std::int32_t label = -1;
  };

  void add_folder(const std::string& folder, bool only);
  void collect(const fs::path& folder, std::set<fs::path>& within, std::vector<fs::path>& found);
  std::int32_t label_named(const std::string& name) const {
    const auto found = classes.find(name);
    return found == classes.end() ? -1 : found->second;
  }

  std::unordered_map<std::string, std::int32_t> classes;
  bool upright = false;
  std::vector<File> files;
  std::optional<dataio::Dataset> packed;  ///< its samples come after the files
  std::vector<std::int32_t> packed_classes;
  std::uint64_t ignored = 0;
};

/// @param within the folders that this one lies in: a link back to one of them is not followed
void Pictures::State::collect(const fs::path& folder, std::set<fs::path>& within,
                              std::vector<fs::path>& found) {
  std::error_code error;
  const fs::path real = fs::canonical(folder, error);
  if (error || !within.insert(real).second) {
    return;
  }
  fs::directory_iterator entries(folder, error);
  if (error) {
    throw dataio::InputError("cannot read the folder " + dataio::display_path(folder.string()) +
                             ": " + error.message());
  }
  for (const fs::directory_entry& entry : entries) {
    if (entry.is_directory(error)) {
      collect(entry.path(), within, found);
    } else if (dataio::is_picture_by_name(entry.path().filename().string())) {
      found.push_back(entry.path());
    } else {
      ++ignored;
    }
  }
  within.erase(real);
}

void Pictures::State::add_folder(const std::string& folder, bool only) {
  std::vector<fs::path> found;
  std::set<fs::path> within;
  collect(folder, within, found);
  if (found.empty()) {
    throw dataio::InputError("there are no pictures in " + dataio::display_path(folder) +
                             " (looked for names that end in .jpg, .jpeg, .png, .webp, ...)");
  }
  std::ranges::sort(found);
  for (const fs::path& path : found) {
    const fs::path relative = path.lexically_relative(folder);
    const bool in_folder = std::distance(relative.begin(), relative.end()) > 1;
    files.push_back({path.string(), only ? relative.string() : path.string(),
                     in_folder ? label_named(relative.begin()->string()) : -1});
  }
}

Pictures::Pictures(const std::vector<std::string>& inputs, const std::vector<std::string>& classes,
                   bool upright)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.upright = upright;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    state.classes.emplace(classes[c], static_cast<std::int32_t>(c));
  }
  const bool only = inputs.size() == 1;
  std::vector<std::string> packed;
  for (const std::string& input : dataio::expand_globs(inputs)) {
    std::error_code error;
    if (!fs::exists(input, error)) {
      throw dataio::InputError("there is no " + dataio::display_path(input));
    }
    if (fs::is_directory(input)) {
      state.add_folder(input, only);
    } else if (input.ends_with(".h5")) {
      packed.push_back(input);
    } else {
      state.files.push_back({input, input, -1});
    }
  }
  if (packed.empty()) {
    return;
  }
  state.packed.emplace(packed, dataio::DatasetOptions{.apply_orientation = upright});
  for (const std::string& name : state.packed->class_names()) {
    state.packed_classes.push_back(state.label_named(name));
  }
}

Pictures::~Pictures() = default;

std::uint64_t Pictures::size() const {
  return state_->files.size() + (state_->packed ? state_->packed->size() : 0);
}

std::uint64_t Pictures::ignored() const { return state_->ignored; }

std::string Pictures::path(std::uint64_t i) const {
  const auto& files = state_->files;
  return i < files.size() ? files[i].shown : state_->packed->source_path(i - files.size());
}

std::int32_t Pictures::label(std::uint64_t i) const {
  const auto& files = state_->files;
  if (i < files.size()) {
    return files[i].label;
  }
  return state_->packed_classes[static_cast<std::size_t>(state_->packed->label(i - files.size()))];
}

dataio::Image Pictures::decode(std::uint64_t i) const {
  const auto& files = state_->files;
  std::vector<std::uint8_t> bytes;
  if (i >= files.size()) {
    return state_->packed->decode(i - files.size(), bytes);
  }
  const std::string& place = files[i].place;
  try {
    const InputFile file(place);
    bytes.resize(file.bytes());
    file.read(0, bytes.data(), bytes.size());
    dataio::Image image = dataio::decode_image(bytes);
    if (state_->upright) {
      image = dataio::upright(image, dataio::read_orientation(bytes));
    }
    return image;
  } catch (const CheckpointError& error) {  // the file itself
    throw dataio::InputError(error.what());
  } catch (const dataio::InputError& error) {
    throw dataio::InputError(dataio::display_path(place) + ": " + error.what());
  }
}

void Pictures::prepare(std::uint64_t i, const dataio::EvalTransformOptions& transform,
                       float* out) const {
  dataio::eval_transform(decode(i), transform, out);
}

std::vector<std::uint8_t> Pictures::thumbnail(std::uint64_t i, int side) const {
  constexpr int kQuality = 75;
  return dataio::encode_jpeg(dataio::fitted(decode(i), side), kQuality);
}

}  // namespace casvit::trainer
