#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace casvit::dataio {

/// Called for everything that is found while a source is listed; what it throws ends the listing.
/// May be empty.
using OnListed = std::function<void()>;

/// A file that is a picture by its name.
struct FolderImage {
  std::string path;        ///< relative to ImageFolder::root, e.g. "Maize/a.jpg"
  std::int32_t label = 0;  ///< index into ImageFolder::classes
};

/// Whether a file's name ends as those of pictures do, in any case.
bool is_picture_by_name(std::string name);

/// A folder of pictures, a folder a class, as torchvision's ImageFolder reads it: classes sorted by
/// byte order of their names, pictures searched for at any depth (links are followed) and sorted by
/// folder and name, those considered whose name ends in .jpg .jpeg .png .ppm .bmp .pgm .tif .tiff
/// or .webp in any case. Unlike torchvision it passes over top-level folders whose names start with
/// a dot (.git, .ipynb_checkpoints), and counts them as ignored.
struct ImageFolder {
  std::string root;
  std::vector<std::string> classes;
  std::vector<FolderImage> images;  ///< by class, then by folder and name
  std::uint64_t ignored = 0;        ///< files that are not pictures by name, and hidden folders
  std::vector<std::string> ignored_examples;  ///< the first few of them, relative to root
};

/// Lists `root`; opens no picture.
/// @throws InputError when `root` is missing or a folder cannot be read; UsageError when it is not
/// a
///         folder, is empty, or holds pictures but no class folders.
ImageFolder scan_image_folder(const std::string& root, const OnListed& on_listed = nullptr);

/// One part of a data set that is split by folders.
struct SplitFolder {
  std::string split;   ///< "train", "val" or "test"
  std::string folder;  ///< name below the root: "train", "val", "validation" or "test"
};

struct SplitFolders {
  std::vector<SplitFolder> parts;
  std::uint64_t ignored = 0;  ///< files, and hidden folders, that lie beside the parts
  std::vector<std::string> ignored_examples;
};

/// The parts of `root` where its only folders are `train` and one or more of `val` (or
/// `validation`) and `test`; none for any other folder. @throws as scan_image_folder, and
/// UsageError for a folder with both `val` and `validation`.
SplitFolders find_split_folders(const std::string& root, const OnListed& on_listed = nullptr);

}  // namespace casvit::dataio
