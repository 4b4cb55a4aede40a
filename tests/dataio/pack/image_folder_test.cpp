#include "dataio/pack/image_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "dataio/error.h"
#include "tests/dataio/temporary_folder.h"

namespace casvit::dataio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> paths_of(const ImageFolder& found) {
  std::vector<std::string> paths;
  for (const FolderImage& image : found.images) paths.push_back(image.path);
  return paths;
}

/// "usage: ..." or "input: ..." of scanning `root`.
std::string refusal(const std::string& root) {
  try {
    static_cast<void>(scan_image_folder(root));
  } catch (const UsageError& error) {
    return std::string("usage: ") + error.what();
  } catch (const InputError& error) {
    return std::string("input: ") + error.what();
  }
  return "";
}

TEST(ImageFolder, SortsClassesAndPicturesAsTorchvisionDoes) {
  const TemporaryFolder folder;
  for (const char* name : {"b/2.png", "b/10.JPG", "B/x.webp", "a-b/1.jpeg", "a/z.tiff", "a/s/0.bmp",
                           "a/s-t/1.jpg", "\xc3\xa4/1.jpg", "_/p.Pgm"}) {
    write_text(folder / name, "x");
  }
  const ImageFolder found = scan_image_folder(folder.path());
  EXPECT_THAT(found.classes, ElementsAre("B", "_", "a", "a-b", "b", "\xc3\xa4"));
  EXPECT_THAT(paths_of(found),
              ElementsAre("B/x.webp", "_/p.Pgm", "a/z.tiff", "a/s/0.bmp", "a/s-t/1.jpg",
                          "a-b/1.jpeg", "b/10.JPG", "b/2.png", "\xc3\xa4/1.jpg"));
  EXPECT_EQ(found.images[2].label, 2);
  EXPECT_EQ(found.images.back().label, 5);
  EXPECT_EQ(found.ignored, 0U);
}

TEST(ImageFolder, CountsWhatIsNoPictureByName) {
  const TemporaryFolder folder;
  for (const char* name : {"README.md", "a/1.jpg", "a/notes.txt", "a/jpg", "a/2.jpg.bak",
                           ".ipynb_checkpoints/1.jpg", "loose.jpg"}) {
    write_text(folder / name, "x");
  }
  const ImageFolder found = scan_image_folder(folder.path());
  EXPECT_THAT(found.classes, ElementsAre("a"));
  EXPECT_THAT(paths_of(found), ElementsAre("a/1.jpg"));
  EXPECT_EQ(found.ignored, 6U);
  EXPECT_THAT(found.ignored_examples,
              ElementsAre("README.md", "loose.jpg", ".ipynb_checkpoints/", "a/2.jpg.bak", "a/jpg"));
}

TEST(ImageFolder, FollowsLinksAndRefusesLoops) {
  const TemporaryFolder folder;
  const TemporaryFolder elsewhere;
  write_text(elsewhere / "1.jpg", "x");
  write_text(folder / "b/2.jpg", "x");
  std::filesystem::create_directory_symlink(elsewhere.path(), folder / "a");
  EXPECT_THAT(paths_of(scan_image_folder(folder.path())), ElementsAre("a/1.jpg", "b/2.jpg"));
  std::filesystem::create_directory_symlink(folder / "b", folder / "b/again");
  EXPECT_THAT(refusal(folder.path()), HasSubstr("remove the loop"));
}

TEST(ImageFolder, RefusesWhatHoldsNoClasses) {
  const TemporaryFolder folder;
  EXPECT_THAT(refusal(folder / "none"), HasSubstr("input: there is no folder"));
  EXPECT_THAT(refusal(folder.path()),
              HasSubstr("usage: the folder " + folder.path() + " is empty"));
  write_text(folder / "1.jpg", "x");
  EXPECT_THAT(refusal(folder.path()), HasSubstr("holds pictures, but no folders"));
  EXPECT_THAT(refusal(folder / "1.jpg"), HasSubstr("is not a folder"));
}

TEST(SplitFolders, AreFoundOnlyWhereThereIsNothingElse) {
  const TemporaryFolder folder;
  const auto found = [&folder] {
    std::vector<std::string> parts;
    for (const SplitFolder& part : find_split_folders(folder.path()).parts) {
      parts.push_back(part.split + "<" + part.folder);
    }
    return parts;
  };
  std::filesystem::create_directory(folder / "train");
  EXPECT_THAT(found(), ElementsAre());  // a class called train
  std::filesystem::create_directory(folder / "validation");
  EXPECT_THAT(found(), ElementsAre("train<train", "val<validation"));
  std::filesystem::create_directory(folder / "test");
  write_text(folder / "README.md", "x");
  EXPECT_THAT(found(), ElementsAre("test<test", "train<train", "val<validation"));
  std::filesystem::create_directory(folder / "val");
  EXPECT_THROW(found(), UsageError);
  std::filesystem::create_directory(folder / "more");
  EXPECT_THAT(found(), ElementsAre());
}

}  // namespace
}  // namespace casvit::dataio
