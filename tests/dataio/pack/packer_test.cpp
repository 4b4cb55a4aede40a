#include "dataio/pack/packer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "dataio/container/dataset.h"
#include "dataio/container/reader.h"
#include "dataio/error.h"
#include "dataio/inspect/verify.h"
#include "tests/dataio/seedlings.h"

namespace casvit::dataio {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void no_progress(const std::string& /*phase*/, std::uint64_t /*done*/, std::uint64_t /*total*/) {}

PackOptions options_for(const std::string& source, const std::string& output) {
  PackOptions options;
  options.source = source;
  options.output = output;
  options.workers = 2;
  options.created = "2024-05-31T12:00:00Z";
  options.tool_version = "test";
  options.command_line = "test";
  return options;
}

/// "usage: ..." or "input: ..." of packing.
std::string refusal(const PackOptions& options) {
  try {
    static_cast<void>(pack(options, no_progress));
  } catch (const UsageError& error) {
    return std::string("usage: ") + error.what();
  } catch (const InputError& error) {
    return std::string("input: ") + error.what();
  }
  return "";
}

TEST(Packer, StoresEveryPictureByteForByte) {
  const TemporaryFolder folder;
  const PackResult result =
      pack(options_for(std::string(kSeedlings) + "/val", folder / "a.h5"), no_progress);
  ASSERT_EQ(result.files.size(), 1U);
  EXPECT_EQ(result.classes.size(), 12U);
  EXPECT_TRUE(std::is_sorted(result.classes.begin(), result.classes.end()));
  EXPECT_EQ(result.files[0].samples, 96U);
  EXPECT_EQ(result.files[0].class_counts, std::vector<std::uint64_t>(12, 8));
  EXPECT_TRUE(result.rejected.empty());
  EXPECT_EQ(result.ignored, 0U);
  const Dataset dataset({folder / "a.h5"});
  Bytes bytes;
  for (std::uint64_t i = 0; i < dataset.size(); ++i) {
    const std::string source = dataset.source_path(i);
    dataset.read(i, bytes);
    EXPECT_EQ(bytes, file_bytes(std::string(kSeedlings) + "/val/" + source)) << source;
    const auto label = static_cast<std::size_t>(dataset.label(i));
    EXPECT_EQ(source.substr(0, source.find('/')), result.classes[label]);
  }
  EXPECT_TRUE(verify_container(folder / "a.h5", true, 2, [](auto, auto) {}).damaged.empty());
}

TEST(Packer, GivesTheSameBytesWhateverTheWorkers) {
  const TemporaryFolder folder;
  make_image_folder(folder / "in", {"a", "b"}, 6);
  PackOptions options = options_for(folder / "in", folder / "1.h5");
  options.workers = 1;
  static_cast<void>(pack(options, no_progress));
  options.workers = 7;
  options.output = folder / "7.h5";
  static_cast<void>(pack(options, no_progress));
  EXPECT_EQ(file_bytes(folder / "1.h5"), file_bytes(folder / "7.h5"));
}

TEST(Packer, MakesAFileForEachPartOfASplitFolder) {
  const TemporaryFolder folder;
  make_image_folder(folder / "in/train", {"b", "a"}, 3);
  make_image_folder(folder / "in/validation", {"a", "b"}, 1);
  const PackResult result = pack(options_for(folder / "in", folder / "out.h5"), no_progress);
  ASSERT_EQ(result.files.size(), 2U);
  EXPECT_EQ(result.files[0].path, folder / "out.train.h5");
  EXPECT_EQ(result.files[1].path, folder / "out.val.h5");
  EXPECT_EQ(ContainerReader(folder / "out.val.h5").attributes().split, "val");
  EXPECT_EQ(Dataset({folder / "out.val.h5"}).source_path(1), "validation/b/0.jpg");
  EXPECT_THAT(folder.names(), ElementsAre("in", "out.train.h5", "out.val.h5"));
}

TEST(Packer, CountsWhatLiesBesideTheParts) {
  const TemporaryFolder folder;
  make_image_folder(folder / "in/train", {"a"}, 1);
  make_image_folder(folder / "in/val", {"a"}, 1);
  for (const char* name : {"in/loose.jpg", "in/.cache/x.jpg", "in/train/notes.txt"}) {
    write_text(folder / name, "x");
  }
  const PackResult result = pack(options_for(folder / "in", folder / "out.h5"), no_progress);
  EXPECT_EQ(result.ignored, 3U);
  EXPECT_THAT(result.ignored_examples, ElementsAre("loose.jpg", ".cache/", "train/notes.txt"));
}

TEST(Packer, CanBeInterruptedWhileItLists) {
  const TemporaryFolder folder;
  make_image_folder(folder / "in", {"a"}, 1);
  write_text(folder / "list.csv", "in/a/0.jpg,a\n");
  class Stop {};
  for (const char* source : {"in", "list.csv"}) {
    std::uint64_t listed = 0;
    EXPECT_THROW(static_cast<void>(pack(options_for(folder / source, folder / "out.h5"),
                                        [&listed](const std::string& phase, auto done, auto) {
                                          if (phase != kListingPhase) return;
                                          listed = done;
                                          throw Stop();
                                        })),
                 Stop);
    EXPECT_EQ(listed, 1U);
  }
  EXPECT_THAT(folder.names(), ElementsAre("in", "list.csv"));
}

TEST(Packer, RefusesPartsWhoseClassesDisagree) {
  const TemporaryFolder folder;
  make_image_folder(folder / "in/train", {"a", "b", "d"}, 2);
  make_image_folder(folder / "in/val", {"a", "b", "c", "d"}, 1);
  PackOptions options = options_for(folder / "in", folder / "out.h5");
  EXPECT_THAT(refusal(options), HasSubstr("usage: the class 'c' has no usable picture in the part "
                                          "'train'"));
  EXPECT_THAT(folder.names(), ElementsAre("in"));
  options.allow_empty_classes = true;
  const PackResult result = pack(options, no_progress);
  EXPECT_THAT(result.classes, ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(result.files[0].class_counts, ElementsAre(2, 2, 0, 2));
  EXPECT_EQ(Dataset({folder / "out.train.h5"}).label(5), 3);
  EXPECT_EQ(Dataset({folder / "out.train.h5"}).class_names(),
            Dataset({folder / "out.val.h5"}).class_names());
}

TEST(Packer, CutsAFolderIntoDisjointParts) {
  const TemporaryFolder folder;
  make_image_folder(folder / "in", {"a", "b"}, 10);
  PackOptions options = options_for(folder / "in", folder / "out.h5");
  options.split = parse_split("train=0.8,val=0.2");
  options.seed = 5;
  static_cast<void>(pack(options, no_progress));
  std::vector<std::string> sources;
  for (const char* part : {"out.train.h5", "out.val.h5"}) {
    const Dataset dataset({folder / part});
    EXPECT_EQ(dataset.class_counts()[0], dataset.class_counts()[1]);
    for (std::uint64_t i = 0; i < dataset.size(); ++i) sources.push_back(dataset.source_path(i));
  }
  EXPECT_EQ(Dataset({folder / "out.val.h5"}).size(), 4U);
  std::sort(sources.begin(), sources.end());
  EXPECT_EQ(std::unique(sources.begin(), sources.end()) - sources.begin(), 20);
}

TEST(Packer, RefusesToSplitWhatIsSplit) {
  const TemporaryFolder folder;
  make_image_folder(folder / "in/train", {"a"}, 1);
  make_image_folder(folder / "in/val", {"a"}, 1);
  PackOptions options = options_for(folder / "in", folder / "out.h5");
  options.split = parse_split("train=0.5,val=0.5");
  EXPECT_THAT(refusal(options),
              HasSubstr("usage: --split: " + (folder / "in") + " is split already"));
}

/// A folder with two good classes, to which a test adds what it is about.
class PackerOnBadPictures : public ::testing::Test {
 protected:
  PackerOnBadPictures() { make_image_folder(folder_ / "in", {"a", "b"}, 2); }

  /// Packs with `name` holding `bytes`; the reason of its rejection, "" for none.
  std::string reason_for(const std::string& name, const Bytes& bytes) {
    write_file(folder_ / ("in/" + name), bytes);
    const PackResult result = pack(options_for(folder_ / "in", folder_ / "out.h5"), no_progress);
    fs::remove(folder_ / ("in/" + name));
    if (result.rejected.empty()) return "";
    EXPECT_EQ(result.rejected.size(), 1U);
    EXPECT_EQ(result.rejected[0].path, name);
    EXPECT_EQ(result.files[0].samples, 4U);
    return result.rejected[0].reason;
  }

  TemporaryFolder folder_;
};

TEST_F(PackerOnBadPictures, RejectsEachWithItsReason) {
  const std::string text = "this is no picture";
  EXPECT_THAT(reason_for("a/text.jpg", Bytes(text.begin(), text.end())),
              HasSubstr("not a JPEG, PNG or WebP picture"));
  EXPECT_THAT(reason_for("a/empty.jpg", {}), HasSubstr("empty file (0 bytes)"));
  Bytes jpeg = photograph(20);
  jpeg.resize(jpeg.size() / 2);
  EXPECT_THAT(reason_for("a/half.jpg", jpeg), HasSubstr("JPEG"));
  Bytes png = file_bytes(std::string(kSeedlings) + "/val/Maize/a53a61390.png");
  png.resize(png.size() - 20);
  EXPECT_THAT(reason_for("a/cut.png", png), HasSubstr("PNG"));
}

TEST_F(PackerOnBadPictures, TakesAPictureByContentNotByName) {
  EXPECT_EQ(reason_for("a/named_wrongly.png", photograph(21)), "");
}

TEST_F(PackerOnBadPictures, RecordsTheOrientationThatTheCameraNoted) {
  Bytes turned = photograph(22);
  const Bytes exif = {0xFF, 0xE1, 0, 34,   'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8,
                      0,    1,    1, 0x12, 0,   3,   0,   0,   0, 1, 0,   8,   0, 0,  0, 0, 0, 0};
  turned.insert(turned.begin() + 2, exif.begin(), exif.end());
  EXPECT_EQ(reason_for("a/turned.jpg", turned), "");
  const Dataset dataset({folder_ / "out.h5"});
  ASSERT_EQ(dataset.source_path(2), "a/turned.jpg");
  EXPECT_EQ(dataset.orientation(2), 8);
  EXPECT_EQ(dataset.orientation(1), 1);
}

TEST_F(PackerOnBadPictures, RejectsWhatIsNoFileOrCannotBeRead) {
  fs::create_symlink("nowhere", folder_ / "in/a/dangling.jpg");
  const PackResult result = pack(options_for(folder_ / "in", folder_ / "out.h5"), no_progress);
  ASSERT_EQ(result.rejected.size(), 1U);
  EXPECT_EQ(result.rejected[0].reason, "cannot be read: No such file or directory");
}

TEST_F(PackerOnBadPictures, StopsAtTheFirstWhenAskedTo) {
  write_text(folder_ / "in/a/bad.jpg", "x");
  write_text(folder_ / "in/b/bad.jpg", "x");
  PackOptions options = options_for(folder_ / "in", folder_ / "out.h5");
  options.on_error = OnError::kFail;
  EXPECT_THAT(refusal(options), HasSubstr("input: " + (folder_ / "in/a/bad.jpg") + ": "));
  EXPECT_THAT(folder_.names(), ElementsAre("in"));
}

TEST_F(PackerOnBadPictures, RefusesAClassWithoutAUsablePicture) {
  fs::create_directory(folder_ / "in/c");
  PackOptions options = options_for(folder_ / "in", folder_ / "out.h5");
  EXPECT_THAT(refusal(options), HasSubstr("usage: the class 'c' has no usable picture"));
  write_text(folder_ / "in/c/bad.jpg", "x");
  EXPECT_THAT(refusal(options), HasSubstr("1 rejected there, the first: c/bad.jpg: "));
  EXPECT_THAT(folder_.names(), ElementsAre("in"));
  options.allow_empty_classes = true;
  EXPECT_THAT(pack(options, no_progress).files[0].class_counts, ElementsAre(2, 2, 0));
}

TEST_F(PackerOnBadPictures, RefusesToPackNothing) {
  fs::remove_all(folder_ / "in/a");
  fs::remove_all(folder_ / "in/b");
  write_text(folder_ / "in/c/bad.jpg", "x");
  PackOptions options = options_for(folder_ / "in", folder_ / "out.h5");
  options.allow_empty_classes = true;
  EXPECT_THAT(refusal(options), HasSubstr("usage: there is no usable picture"));
}

TEST_F(PackerOnBadPictures, LeavesNoTraceOfWhatItRejected) {
  static_cast<void>(pack(options_for(folder_ / "in", folder_ / "whole.h5"), no_progress));
  write_file(folder_ / "in/a/0a.jpg", photograph(20));  // between others, and large
  fs::resize_file(folder_ / "in/a/0a.jpg", 3000);
  write_text(folder_ / "in/a/0b.png", std::string(1 << 20, 'x'));
  PackOptions options = options_for(folder_ / "in", folder_ / "out.h5");
  options.workers = 3;
  EXPECT_EQ(pack(options, no_progress).rejected.size(), 2U);
  EXPECT_EQ(file_bytes(folder_ / "out.h5"), file_bytes(folder_ / "whole.h5"));
}

TEST_F(PackerOnBadPictures, MovesNoOtherPictureToAnotherPart) {
  make_image_folder(folder_ / "in", {"a", "b"}, 20);
  PackOptions options = options_for(folder_ / "in", folder_ / "out.h5");
  options.split = parse_split("train=0.5,val=0.5");
  static_cast<void>(pack(options, no_progress));
  const auto sources = [this](const char* file) {
    const Dataset dataset({folder_ / file});
    std::vector<std::string> paths;
    for (std::uint64_t i = 0; i < dataset.size(); ++i) paths.push_back(dataset.source_path(i));
    return paths;
  };
  const auto before = sources("out.val.h5");
  const std::string removed = sources("out.train.h5")[3];
  fs::resize_file(folder_ / ("in/" + removed), 100);
  static_cast<void>(pack(options, no_progress));
  EXPECT_EQ(sources("out.val.h5"), before);
  EXPECT_EQ(sources("out.train.h5").size(), 19U);
}

TEST_F(PackerOnBadPictures, RejectsPicturesOfMorePixelsThanAllowed) {
  PackOptions options = options_for(folder_ / "in", folder_ / "out.h5");
  options.storage.max_pixels = 150 * 150 - 1;  // what they have, less one
  EXPECT_THAT(refusal(options), HasSubstr("the first: a/0.jpg: the header gives 150 x 150 pixels"));
  options.storage.max_pixels = 150 * 150;
  EXPECT_EQ(pack(options, no_progress).files[0].samples, 4U);
}

TEST(Packer, TakesFileNamesOfAnyBytesAndThousandsOfClasses) {
  const TemporaryFolder folder;
  for (int c = 0; c < 1000; ++c) {
    const std::string name = folder / ("in/c" + std::to_string(10000 + c) +
                                       "/\xff\n"
                                       "a.jpg");
    fs::create_directories(fs::path(name).parent_path());
    fs::create_symlink(fs::absolute(seedlings_of("Maize")[0]), name);
  }
  const PackResult result = pack(options_for(folder / "in", folder / "out.h5"), no_progress);
  EXPECT_EQ(result.classes.size(), 1000U);
  EXPECT_EQ(result.files[0].samples, 1000U);
  const Dataset dataset({folder / "out.h5"});
  EXPECT_EQ(dataset.source_path(999),
            "c10999/\xff\n"
            "a.jpg");
  EXPECT_EQ(dataset.label(999), 999);
}

TEST(Packer, RefusesClassesThatNoReaderTakes) {
  const TemporaryFolder folder;
  make_image_folder(folder / "in", {"a"}, 1);
  const auto refused = [&folder](const std::string& list) {
    write_text(folder / "in/list.csv", list);
    return refusal(options_for(folder / "in/list.csv", folder / "out.h5"));
  };
  const auto line = [](int i) { return std::to_string(i) + ".jpg,c" + std::to_string(i) + "\n"; };
  std::string list;
  for (int i = 0; i <= 1'000'000; ++i) list += line(i);
  EXPECT_THAT(refused(list),
              HasSubstr("usage: " + (folder / "in/list.csv") +
                        ": there are 1000001 classes, and a container holds at most"));
  EXPECT_THAT(refused("a/0.jpg," + std::string(4097, 'x') + "\n"),
              HasSubstr("...' has 4097 bytes"));
  list = "x.jpg," + std::string(4096, 'x') + "\n";
  for (int i = 0; i < 65536; ++i) list += line(i);
  EXPECT_THAT(refused(list), HasSubstr("65537 class names of up to 4096 bytes take more than"));
  EXPECT_THAT(folder.names(), ElementsAre("in"));
  EXPECT_EQ(refused("a/0.jpg," + std::string(4096, 'x') + "\n"), "");
  EXPECT_EQ(Dataset({folder / "out.h5"}).class_names()[0].size(), 4096U);
}

TEST(Packer, RejectsHoweverManyPictures) {
  const TemporaryFolder folder;
  make_image_folder(folder / "in", {"a"}, 1);
  for (int i = 0; i < 4000; ++i) {
    std::ofstream(folder / ("in/a/empty" + std::to_string(i) + ".jpg")).flush();
  }
  const PackResult result = pack(options_for(folder / "in", folder / "out.h5"), no_progress);
  EXPECT_EQ(result.files[0].samples, 1U);
  ASSERT_EQ(result.rejected.size(), 4000U);
  EXPECT_EQ(result.rejected[3999].reason, "empty file (0 bytes)");
}

TEST(Packer, RefusesALinkThatLeadsBack) {
  const TemporaryFolder folder;
  make_image_folder(folder / "in", {"a"}, 1);
  fs::create_symlink("..", folder / "in/a/up");
  EXPECT_THAT(refusal(options_for(folder / "in", folder / "out.h5")), HasSubstr("remove the loop"));
  fs::remove(folder / "in/a/up");
  fs::create_symlink("self.jpg", folder / "in/a/self.jpg");
  const PackResult result = pack(options_for(folder / "in", folder / "out.h5"), no_progress);
  ASSERT_EQ(result.rejected.size(), 1U);
  EXPECT_THAT(result.rejected[0].reason, HasSubstr("Too many levels of symbolic links"));
}

TEST(Packer, DealsAllTogetherWhenNotStratified) {
  const TemporaryFolder folder;
  make_image_folder(folder / "in", {"a", "b", "c"}, 10);
  PackOptions options = options_for(folder / "in", folder / "out.h5");
  options.split = parse_split("train=0.5,val=0.5");
  options.stratify = false;
  const PackResult result = pack(options, no_progress);
  EXPECT_EQ(result.files[0].samples, 15U);
  EXPECT_NE(result.files[0].class_counts, std::vector<std::uint64_t>(3, 5));
}

TEST(PartPath, PutsThePartBeforeTheExtension) {
  EXPECT_EQ(part_path("x/out.h5", "val"), "x/out.val.h5");
  EXPECT_EQ(part_path("out.v2.hdf5", "val"), "out.v2.val.hdf5");
  EXPECT_EQ(part_path("x.y/out", "val"), "x.y/out.val.h5");
}

}  // namespace
}  // namespace casvit::dataio
