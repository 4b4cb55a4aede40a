#include "dataio/pack/tar_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "dataio/container/dataset.h"
#include "dataio/error.h"
#include "dataio/pack/tar_archive.h"
#include "tests/dataio/seedlings.h"

namespace casvit::dataio {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// One header block of our own making, checksum and all.
Bytes header(const std::string& name, std::uint64_t bytes, char type = '0') {
  Bytes block(512, 0);
  std::copy(name.begin(), name.begin() + static_cast<long>(std::min<std::size_t>(name.size(), 100)),
            block.begin());
  char size[13];
  std::snprintf(size, sizeof size, "%011llo", static_cast<unsigned long long>(bytes));
  std::copy(size, size + 11, block.begin() + 124);
  block[156] = static_cast<std::uint8_t>(type);
  const std::string magic(
      "ustar\0"
      "00",
      8);
  std::copy(magic.begin(), magic.end(), block.begin() + 257);
  std::fill(block.begin() + 148, block.begin() + 156, ' ');
  unsigned sum = 0;
  for (const std::uint8_t byte : block) sum += byte;
  std::snprintf(size, sizeof size, "%06o", sum);
  std::copy(size, size + 7, block.begin() + 148);
  return block;
}

void add(Bytes& archive, const Bytes& head, const Bytes& content) {
  archive.insert(archive.end(), head.begin(), head.end());
  archive.insert(archive.end(), content.begin(), content.end());
  archive.resize((archive.size() + 511) / 512 * 512);
}

Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

/// "name:bytes" of each member; what was complained about, behind "! ", at the end.
std::vector<std::string> members(const std::string& path) {
  std::vector<std::string> found;
  try {
    TarArchive archive(path);
    while (const auto member = archive.next()) {
      found.push_back(member->name + ":" + std::to_string(member->bytes) +
                      (member->is_file ? "" : " (no file)"));
    }
  } catch (const InputError& error) {
    found.push_back(std::string("! ") + error.what());
  }
  return found;
}

class TarTest : public ::testing::Test {
 protected:
  std::vector<std::string> members_of(const Bytes& bytes) {
    write_file(folder_ / "a.tar", bytes);
    return members(folder_ / "a.tar");
  }

  PackResult pack_archives(const std::vector<std::string>& archives) {
    PackOptions options;
    options.source = archives[0];
    options.more_sources.assign(archives.begin() + 1, archives.end());
    options.output = folder_ / "out.h5";
    options.workers = 2;
    return pack(options, [](auto, auto, auto) {});
  }

  TemporaryFolder folder_;
};

/// GNU tar writes the archives: each of its formats, with names longer than any header holds.
TEST_F(TarTest, ReadsWhatTarWritesInEveryFormat) {
  const std::string deep(90, 'd');
  const std::string name(140, 'n');
  for (const std::string format : {"v7", "ustar", "oldgnu", "gnu", "pax"}) {
    const fs::path in = folder_ / ("in-" + format);
    write_file((in / "Mais/1.jpg").string(), photograph(1));
    write_file((in / "Birch/0.jpg").string(), photograph(2));
    if (format != "v7") write_file((in / deep / "Birch" / "2.jpg").string(), photograph(3));
    if (format != "v7" && format != "ustar") {
      write_file((in / "Mais" / (name + ".jpg")).string(), photograph(4));
    }
    const std::string archive = folder_ / (format + ".tar");
    const std::string command = "tar --format=" + format + " -cf " + archive + " -C " +
                                in.string() + " . && rm -rf " + (folder_ / "x") + " && mkdir " +
                                (folder_ / "x");
    ASSERT_EQ(std::system(command.c_str()), 0);
    const PackResult result = pack_archives({archive});
    EXPECT_THAT(result.classes, ElementsAre("Birch", "Mais")) << format;
    const Dataset dataset({folder_ / "out.h5"});
    EXPECT_EQ(dataset.size(), format == "v7" ? 2U : format == "ustar" ? 3U : 4U) << format;
    Bytes bytes;
    for (std::uint64_t i = 0; i < dataset.size(); ++i) {
      dataset.read(i, bytes);
      EXPECT_EQ(bytes, file_bytes((in / dataset.source_path(i)).string())) << format;
    }
  }
}

TEST_F(TarTest, TakesLabelsAsWebDatasetHasThem) {
  Bytes first;
  add(first, header("a/0001.jpg", photograph(1).size()), photograph(1));
  add(first, header("a/0001.cls", 2), bytes_of("7\n"));
  add(first, header("a/0001.txt", 5), bytes_of("a cat"));
  add(first, header("a/0002.json", 24), bytes_of(R"({"label": 2, "x": [1,2]})"));
  add(first, header("a/0002.seg.png", photograph(2).size()), photograph(2));  // by its content
  Bytes second;
  add(second, header("a/0001.cls", 1), bytes_of("0"));
  add(second, header("a/0001.jpg", photograph(3).size()), photograph(3));
  add(second, header("a/0003.jpg", photograph(4).size()), photograph(4));
  write_file(folder_ / "s-0.tar", first);
  write_file(folder_ / "s-1.tar", second);
  PackOptions options;
  options.source = folder_ / "s-0.tar";
  options.more_sources = {folder_ / "s-1.tar"};
  options.output = folder_ / "out.h5";
  options.allow_empty_classes = true;
  const PackResult result = pack(options, [](auto, auto, auto) {});
  EXPECT_EQ(result.classes.size(), 8U);
  const Dataset dataset({folder_ / "out.h5"});
  ASSERT_EQ(dataset.size(), 3U);
  EXPECT_THAT(dataset.copy_labels(), ElementsAre(7, 2, 0));
  EXPECT_EQ(dataset.source_path(2), "s-1.tar/a/0001.jpg");
  ASSERT_EQ(result.rejected.size(), 1U);
  EXPECT_EQ(result.rejected[0].path, "s-1.tar/a/0003.jpg");
  EXPECT_THAT(result.rejected[0].reason, HasSubstr("no label"));
  EXPECT_EQ(result.ignored, 1U);
}

TEST_F(TarTest, ReadsLargeAndBinarySizes) {
  Bytes archive;
  Bytes head = header("a/b.jpg", 0);
  std::fill(head.begin() + 124, head.begin() + 136, 0);
  head[124] = 0x80;
  head[135] = 5;
  std::fill(head.begin() + 148, head.begin() + 156, ' ');
  unsigned sum = 0;
  for (const std::uint8_t byte : head) sum += byte;
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  std::copy(text, text + 7, head.begin() + 148);
  add(archive, head, bytes_of("12345"));
  add(archive, header("x", 19, 'x'), bytes_of("19 size=3\n"));
  EXPECT_EQ(members_of(archive)[0], "a/b.jpg:5");
}

TEST_F(TarTest, RefusesDamagedAndHostileArchives) {
  const Bytes good = header("a/b.jpg", 5);
  Bytes archive;
  add(archive, good, bytes_of("12345"));
  const auto last = [this](const Bytes& bytes) { return members_of(bytes).back(); };
  ASSERT_EQ(last(archive), "a/b.jpg:5");

  Bytes changed = archive;
  changed[3] ^= 1;
  EXPECT_THAT(last(changed), HasSubstr("at byte 0: it is no tar archive"));
  Bytes twice = archive;
  add(twice, good, bytes_of("12345"));
  twice[1024 + 3] ^= 1;
  EXPECT_THAT(last(twice), HasSubstr("at byte 1024: a header's checksum does not fit"));

  Bytes large;
  add(large, header("a/b.jpg", 1 << 20), bytes_of("12345"));
  EXPECT_THAT(last(large), HasSubstr("reaches beyond the end of the archive"));
  Bytes name;
  add(name, header("././@LongLink", std::uint64_t{7} << 30, 'L'), bytes_of("12345"));
  EXPECT_THAT(last(name), HasSubstr("extended header of 7516192768 bytes"));
  for (const std::string record : {"5 path=x\n", "99 path=x\n", "nothing\n", "10 path=xy", "3 \n",
                                   "18446744073709551615 path=x\n", "12 size=-77\n", "7 pathx\n"}) {
    Bytes pax;
    add(pax, header("x", record.size(), 'x'), bytes_of(record));
    add(pax, good, bytes_of("12345"));
    EXPECT_THAT(last(pax), HasSubstr("a pax header")) << record;
  }
  Bytes cut = archive;
  cut.resize(700);
  EXPECT_THAT(members_of(cut), ElementsAre("a/b.jpg:5"));
  cut = twice;
  cut.resize(1100);
  EXPECT_THAT(last(cut), HasSubstr("ends inside a header"));
  EXPECT_THAT(last(bytes_of("\x1f\x8b\x08 and so on")), HasSubstr("it is compressed"));
  EXPECT_THAT(members(folder_ / "none.tar").back(), HasSubstr("No such file"));
}

/// No archive of the kind makes it read or allocate beyond what is there (asan watches).
TEST_F(TarTest, EndsOnArchivesCutOrChangedAnywhere) {
  Bytes archive;
  add(archive, header("x", 22, 'x'), bytes_of("22 path=a/longer.jpg\n\n"));
  add(archive, header("a/b.jpg", 5), bytes_of("12345"));
  add(archive, header("././@LongLink", 9, 'L'), bytes_of("a/c.jpg\0\0"));
  add(archive, header("cut", 700), Bytes(700, 7));
  archive.resize(archive.size() + 1024);
  for (std::size_t size = 0; size < archive.size(); size += 131) {
    const Bytes cut(archive.begin(), archive.begin() + static_cast<long>(size));
    static_cast<void>(members_of(cut));
  }
  for (std::size_t at = 0; at < archive.size(); at += 19) {
    Bytes changed = archive;
    changed[at] = static_cast<std::uint8_t>(changed[at] * 7 + 131);
    EXPECT_LT(members_of(changed).size(), 10U);
  }
}

TEST_F(TarTest, LinksFoldersAndSparseFilesAreNoPictures) {
  Bytes archive;
  add(archive, header("a/", 0, '5'), {});
  add(archive, header("a/link.jpg", 77, '2'), {});
  add(archive, header("a/sparse.jpg", 5, 'S'), bytes_of("12345"));
  add(archive, header("a/b.jpg", photograph(1).size()), photograph(1));
  EXPECT_THAT(members_of(archive),
              ElementsAre("a/:0 (no file)", "a/link.jpg:0 (no file)", "a/sparse.jpg:5 (no file)",
                          "a/b.jpg:" + std::to_string(photograph(1).size())));
  const PackResult result = pack_archives({folder_ / "a.tar"});
  EXPECT_EQ(result.files[0].samples, 1U);
  EXPECT_EQ(result.ignored, 2U);
}

TEST_F(TarTest, SaysWhyAnArchiveCannotBePacked) {
  const auto refusal = [this](const std::string& name, const Bytes& bytes) -> std::string {
    write_file(folder_ / name, bytes);
    try {
      pack_archives({folder_ / name});
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal("none.tar", Bytes(1024)), HasSubstr("holds no pictures"));
  Bytes loose;
  add(loose, header("b.jpg", 5), bytes_of("12345"));
  EXPECT_THAT(refusal("loose.tar", loose), HasSubstr("b.jpg lies in no folder"));
  fs::create_directory(folder_ / "other");
  write_file(folder_ / "other/loose.tar", loose);
  EXPECT_THROW(pack_archives({folder_ / "loose.tar", folder_ / "other/loose.tar"}), UsageError);
  EXPECT_THROW(pack_archives({folder_ / "loose.tar", folder_.path()}), UsageError);
}

}  // namespace
}  // namespace casvit::dataio
