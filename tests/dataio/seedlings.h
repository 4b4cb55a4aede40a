#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/dataio/temporary_folder.h"

namespace casvit::dataio {

/// The photographs that the repository ships; tests run in the folder tests/.
inline constexpr const char* kSeedlings = "data/seedlings";

/// Paths of the shipped training pictures of one class, sorted.
inline std::vector<std::string> seedlings_of(const std::string& class_name) {
  std::vector<std::string> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(kSeedlings) + "/train/" + class_name)) {
    paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// The bytes of one real photograph, different for different `number` up to 30.
inline Bytes photograph(std::size_t number = 0) {
  return file_bytes(seedlings_of("Maize").at(number));
}

/// Makes `folder/<class>/<number>.jpg`, `count` photographs a class, all different.
inline void make_image_folder(const std::string& folder, const std::vector<std::string>& classes,
                              std::size_t count) {
  std::size_t number = 0;
  for (const std::string& name : classes) {
    for (std::size_t i = 0; i < count; ++i) {
      write_file(folder + "/" + name + "/" + std::to_string(i) + ".jpg", photograph(number++ % 30));
    }
  }
}

}  // namespace casvit::dataio
