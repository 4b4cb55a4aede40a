#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataio/augment/transform.h"

namespace casvit::trainer {

/// Pictures to be named: files, all those of folders at any depth, and samples of packed files.
class Pictures {
 public:
  /// @param inputs files, folders, .h5 files or globs of those. @param classes of the model; a
  /// picture's label is the class that its folder (the first below an input folder), or its sample,
  /// is named after. @param upright turns pictures by their EXIF orientation
  /// @throws dataio::InputError for an input that is missing, or a folder without pictures
  Pictures(const std::vector<std::string>& inputs, const std::vector<std::string>& classes,
           bool upright);
  ~Pictures();
  Pictures(const Pictures&) = delete;
  Pictures& operator=(const Pictures&) = delete;

  std::uint64_t size() const;
  /// Relative to the input folder where there is one input, with the input's own path where there
  /// are several; of a sample as the file stores it.
  std::string path(std::uint64_t i) const;
  std::int32_t label(std::uint64_t i) const;  ///< -1: unknown
  std::uint64_t ignored() const;              ///< files that are no pictures by name

  /// Picture i shrunk to fit into a square of `side` pixels, never enlarged, as a JPEG file.
  /// Thread-safe. @throws dataio::InputError as `prepare`
  std::vector<std::uint8_t> thumbnail(std::uint64_t i, int side) const;

  /// Reads, decodes and transforms picture i into `out`, `[size, size, 3] float32`. Thread-safe.
  /// @throws dataio::InputError saying which picture, and what is wrong with it
  void prepare(std::uint64_t i, const dataio::EvalTransformOptions& transform, float* out) const;

 private:
  dataio::Image decode(std::uint64_t i) const;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace casvit::trainer
