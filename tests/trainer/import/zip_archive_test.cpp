// Zip archives as torch.save writes them are read; others, and damaged ones, are refused.

#include "trainer/import/zip_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trainer/checkpoint/scratch_folder.h"
#include "tests/trainer/import/torch_file_writer.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::vector<ZipEntry> kEntries{
    {"w/data.pkl", "pickle"}, {"w/data/0", std::string(1000, 'x')}, {"w/empty", ""}};

class ZipArchiveTest : public testing::Test {
 protected:
  std::string write(const std::string& bytes) {
    // A new file each time: one that is cut to nothing and written again goes to the disk at once.
    const std::string path = folder_ / "w.pth";
    std::filesystem::remove(path);
    write_bytes(path, bytes);
    return path;
  }
  std::string read(const std::string& bytes, const std::string& entry) {
    const InputFile file(write(bytes));
    const ZipArchive zip(file);
    return zip.read(*zip.find(entry), 1 << 20);
  }
  std::string refusal(const std::string& bytes) {
    const std::string path = write(bytes);
    const std::string message = message_of<CheckpointError>([&] {
      const InputFile file(path);
      const ZipArchive zip(file);
      for (const auto& entry : zip.entries()) zip.check(entry);
    });
    EXPECT_THAT(message, HasSubstr(path));
    return message;
  }
  std::string refused_zip(const std::vector<ZipEntry>& entries) { return refusal(zip_of(entries)); }

 private:
  ScratchFolder folder_;
};

TEST_F(ZipArchiveTest, ReadsStoredEntriesWithZip64AndWithout) {
  for (const bool zip64 : {false, true}) {
    for (const ZipEntry& entry : kEntries) {
      EXPECT_EQ(read(zip_of(kEntries, zip64), entry.name), entry.data) << zip64;
    }
  }
}

TEST_F(ZipArchiveTest, ChecksumsThatTheWriterLeftOutAreNotCompared) {
  std::vector<ZipEntry> entries = kEntries;
  for (ZipEntry& entry : entries) {
    entry.crc_change = 0U - crc32(0, entry.data.data(), entry.data.size());
  }
  EXPECT_EQ(read(zip_of(entries), "w/data.pkl"), "pickle");
}

TEST_F(ZipArchiveTest, LimitsWhatIsReadWhole) {
  const InputFile file(write(zip_of(kEntries)));
  const ZipArchive zip(file);
  EXPECT_THAT(message_of<CheckpointError>([&] { zip.read(*zip.find("w/data/0"), 999); }),
              AllOf(HasSubstr("1000 bytes"), HasSubstr("limit is 999")));
}

TEST_F(ZipArchiveTest, RefusesWhatTorchDoesNotWrite) {
  EXPECT_THAT(refused_zip({{"w/data.pkl", "x", 8}}), HasSubstr("is compressed (method 8)"));
  EXPECT_THAT(refused_zip({{"w/data.pkl", "x", 0, 1}}), HasSubstr("is encrypted"));
  EXPECT_THAT(refused_zip({{"a", "x"}, {"a", "y"}}), HasSubstr("\"a\" is there twice"));
  EXPECT_THAT(refused_zip({{"a", "x", 0, 0, 0, "b"}}), HasSubstr("another one in the directory"));
  EXPECT_THAT(refused_zip({{"a", "x", 0, 0, 1}}), HasSubstr("damaged"));
}

TEST_F(ZipArchiveTest, RefusesEntriesThatOverlapOrLieOutside) {
  EXPECT_THAT(refused_zip({{"a", "x"}, {"a", "y", 0, 0, 0, "", -32}}),
              HasSubstr("zip entry \"a\""));
  EXPECT_THAT(refused_zip({{"a", std::string(100, 'x'), 0, 8, 0, "", 0, 1}}),
              HasSubstr("zip entry"));
  EXPECT_THAT(refused_zip({{"a", "x", 0, 0, 0, "", 1 << 30}}), HasSubstr("lies outside the file"));
  EXPECT_THAT(refused_zip({{"a", "x", 0, 0, 0, "", 7}}), HasSubstr("zip entry"));
  // One entry quoted by two names, the root of zip bombs.
  const std::string once = zip_of({{"ab", "x"}});
  std::string directory = once.substr(once.find("PK\x01\x02"), 48);
  std::string twice = once.substr(0, once.find("PK\x01\x02")) + directory;
  directory.replace(46, 2, "cd");
  twice += directory;
  std::string end = once.substr(once.find("PK\x05\x06"));
  end[8] = end[10] = 2;
  end[12] = 96;
  EXPECT_THAT(refusal(twice + end), HasSubstr("overlaps"));
}

TEST_F(ZipArchiveTest, RefusesEveryTruncationAndEveryAppendix) {
  const std::string whole = zip_of(kEntries, true);
  for (std::size_t length = 0; length < whole.size(); length += length < 1000 ? 97 : 1) {
    refusal(whole.substr(0, length));
  }
  EXPECT_THAT(refusal(whole + "x"), HasSubstr("something behind its end"));
}

// No byte of the directory is without meaning: what is changed is refused, or says the same.
TEST_F(ZipArchiveTest, SurvivesEveryChangedByte) {
  const std::vector<ZipEntry> entries{{"w/data.pkl", "pickle"}, {"w/data/0", "0123"}};
  for (const bool zip64 : {false, true}) {
    const std::string whole = zip_of(entries, zip64);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      for (const char flip : {'\x01', '\x80', '\xff'}) {
        std::string changed = whole;
        changed[i] = static_cast<char>(changed[i] ^ flip);
        try {
          const InputFile file(write(changed));
          const ZipArchive zip(file);
          for (const auto& entry : zip.entries()) {
            zip.check(entry);
            ASSERT_THAT(entry.bytes, testing::AnyOf(4U, 6U));
          }
        } catch (const CheckpointError&) {
          // A refusal is a good answer.
        }
      }
    }
  }
}

}  // namespace
}  // namespace casvit::trainer
