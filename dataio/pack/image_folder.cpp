#include "dataio/pack/image_folder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "dataio/container/display.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

namespace fs = std::filesystem;

// torchvision.datasets.folder.IMG_EXTENSIONS
constexpr std::array<std::string_view, 9> kExtensions{".jpg", ".jpeg", ".png",  ".ppm", ".bmp",
                                                      ".pgm", ".tif",  ".tiff", ".webp"};
constexpr std::size_t kIgnoredExamples = 5;

/// The names in a folder, folders and others apart, each sorted by byte order.
struct Listing {
  std::vector<std::string> folders;
  std::vector<std::string> files;
};

Listing list(const fs::path& folder, const OnListed& on_listed) {
  Listing listing;
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    if (on_listed) on_listed();
    std::error_code dangling;  // a link to nowhere is a file, and is found unreadable later
    const bool is_folder = entries->is_directory(dangling);
    (is_folder ? listing.folders : listing.files).push_back(entries->path().filename().string());
  }
  if (error) {
    throw InputError("cannot list the folder " + display_path(folder.string()) + ": " +
                     error.message());
  }
  std::sort(listing.folders.begin(), listing.folders.end());
  std::sort(listing.files.begin(), listing.files.end());
  return listing;
}

Listing list_root(const std::string& root, const OnListed& on_listed) {
  std::error_code error;
  const fs::file_status status = fs::status(root, error);
  if (status.type() == fs::file_type::not_found) {
    throw InputError("there is no folder " + display_path(root));
  }
  if (error) throw InputError("cannot read " + display_path(root) + ": " + error.message());
  if (status.type() != fs::file_type::directory) {
    throw UsageError(display_path(root) +
                     " is not a folder; name the folder that holds a folder "
                     "of pictures for each class");
  }
  Listing listing = list(root, on_listed);
  if (listing.folders.empty() && listing.files.empty()) {
    throw UsageError("the folder " + display_path(root) + " is empty");
  }
  return listing;
}

bool is_hidden(const std::string& name) { return name.starts_with('.'); }

class Scanner {
 public:
  Scanner(ImageFolder& found, const OnListed& on_listed) : found_(found), on_listed_(on_listed) {}

  void ignore(const std::string& path) {
    ++found_.ignored;
    if (found_.ignored_examples.size() < kIgnoredExamples) found_.ignored_examples.push_back(path);
  }

  void scan_class(const std::string& name, std::int32_t label) {
    files_.clear();
    walk(name);
    // Python sorts what os.walk gives by the folder's path and then by name: a/s/0.jpg comes
    // before a/s-t/0.jpg, though '-' sorts before '/'.
    std::sort(files_.begin(), files_.end());
    for (const auto& [folder, file] : files_) {
      std::string path = folder;
      path.append("/").append(file);
      if (is_picture_by_name(file)) {
        found_.images.push_back({path, label});
      } else {
        ignore(path);
      }
    }
  }

 private:
  void walk(const std::string& relative) {
    const fs::path folder = fs::path(found_.root) / relative;
    std::error_code error;
    const fs::path real = fs::canonical(folder, error);
    if (std::find(open_.begin(), open_.end(), real) != open_.end()) {
      throw UsageError("the link " + display_path(folder.string()) +
                       " leads to a folder that holds it: remove the loop");
    }
    open_.push_back(real);
    const Listing listing = list(folder, on_listed_);
    for (const std::string& file : listing.files) files_.emplace_back(relative, file);
    for (const std::string& sub : listing.folders) {
      std::string inside = relative;
      walk(inside.append("/").append(sub));
    }
    open_.pop_back();
  }

  ImageFolder& found_;
  const OnListed& on_listed_;
  std::vector<std::pair<std::string, std::string>> files_;  ///< (folder, name) of one class
  std::vector<fs::path> open_;  ///< folders between the root and here, links resolved
};

}  // namespace

bool is_picture_by_name(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::any_of(kExtensions.begin(), kExtensions.end(),
                     [&name](std::string_view extension) { return name.ends_with(extension); });
}

ImageFolder scan_image_folder(const std::string& root, const OnListed& on_listed) {
  const Listing top = list_root(root, on_listed);
  ImageFolder found;
  found.root = root;
  Scanner scanner(found, on_listed);
  bool loose_pictures = false;
  for (const std::string& file : top.files) {
    loose_pictures = loose_pictures || is_picture_by_name(file);
    scanner.ignore(file);
  }
  for (const std::string& folder : top.folders) {
    if (is_hidden(folder)) {
      scanner.ignore(folder + "/");
    } else {
      found.classes.push_back(folder);
    }
  }
  if (found.classes.empty()) {
    throw UsageError("the folder " + display_path(root) + " holds " +
                     (loose_pictures ? "pictures" : "files") +
                     ", but no folders: put the pictures of each class into a folder of its own");
  }
  for (std::size_t c = 0; c < found.classes.size(); ++c) {
    scanner.scan_class(found.classes[c], static_cast<std::int32_t>(c));
  }
  return found;
}

SplitFolders find_split_folders(const std::string& root, const OnListed& on_listed) {
  SplitFolders split;
  std::vector<SplitFolder>& found = split.parts;
  const auto ignore = [&split](const std::string& name) {
    ++split.ignored;
    if (split.ignored_examples.size() < kIgnoredExamples) split.ignored_examples.push_back(name);
  };
  const Listing top = list_root(root, on_listed);
  for (const std::string& file : top.files) ignore(file);
  for (const std::string& folder : top.folders) {
    if (is_hidden(folder)) {
      ignore(folder + "/");
      continue;
    }
    if (folder != "train" && folder != "val" && folder != "validation" && folder != "test") {
      return {};
    }
    found.push_back({folder == "validation" ? "val" : folder, folder});
  }
  const auto has = [&found](std::string_view folder) {
    return std::any_of(found.begin(), found.end(),
                       [folder](const SplitFolder& part) { return part.folder == folder; });
  };
  if (!has("train") || found.size() < 2) return {};
  if (has("val") && has("validation")) {
    throw UsageError("the folder " + display_path(root) +
                     " holds both val and validation: keep one of them");
  }
  return split;
}

}  // namespace casvit::dataio
