#include "dataio/container/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "dataio/error.h"
#include "tests/dataio/container/small_container.h"
#include "tests/dataio/seedlings.h"

namespace casvit::dataio {
namespace {

using ::testing::HasSubstr;

/// Flips one bit of a sample's stored bytes in the file.
void flip_byte(const std::string& path, const Bytes& sample) {
  Bytes file = file_bytes(path);
  const auto at = std::search(file.begin(), file.end(), sample.begin(), sample.end());
  ASSERT_NE(at, file.end());
  at[static_cast<std::ptrdiff_t>(sample.size() / 2)] ^= 0x10;
  write_file(path, file);
}

std::string refusal(const std::vector<std::string>& paths) {
  try {
    const Dataset dataset(paths);
  } catch (const InputError& error) {
    return error.what();
  } catch (const UsageError& error) {
    return std::string("usage: ") + error.what();
  }
  return "";
}

TEST(Dataset, IsOneSequenceOverSeveralFiles) {
  const TemporaryFolder folder;
  SmallContent content = small_content();
  write_container(folder / "b.h5", content);
  for (SampleDescription& sample : content.samples) sample.source = "second/" + sample.source;
  content.description.normalization.mean = {0.9F, 0.9F, 0.9F};
  write_container(folder / "c.h5", content);

  const Dataset dataset({folder / "*.h5"});
  EXPECT_EQ(dataset.files(), (std::vector<std::string>{folder / "b.h5", folder / "c.h5"}));
  EXPECT_EQ(dataset.size(), 14U);
  EXPECT_EQ(dataset.num_classes(), 3);
  EXPECT_EQ(dataset.class_names(), content.class_names);
  EXPECT_EQ(dataset.class_counts(), (std::vector<std::uint64_t>{6, 4, 4}));
  EXPECT_EQ(dataset.normalization().mean, small_content().description.normalization.mean);
  EXPECT_EQ(dataset.source_path(6), "Birch/6.jpg");
  EXPECT_EQ(dataset.source_path(7), "second/Birch/0.jpg");
  Bytes bytes;
  for (std::size_t i = 0; i < 14; ++i) {
    dataset.read(i, bytes);
    EXPECT_EQ(bytes, content.bytes[i % 7]);
    EXPECT_EQ(dataset.label(i), content.samples[i % 7].label);
    const Dataset::Location at = dataset.location(i);
    const Bytes file = file_bytes(dataset.files().at(at.file));
    const auto begin = file.begin() + static_cast<std::ptrdiff_t>(at.offset);
    EXPECT_EQ(Bytes(begin, begin + at.length), content.bytes[i % 7]);
  }
  EXPECT_THROW(dataset.read(14, bytes), std::out_of_range);
  EXPECT_EQ(dataset.copy_labels(),
            (std::vector<std::int32_t>{0, 1, 2, 0, 1, 2, 0, 0, 1, 2, 0, 1, 2, 0}));
}

TEST(Dataset, ContentHashNamesContentAndOrder) {
  const TemporaryFolder folder;
  SmallContent content = small_content();
  write_container(folder / "a.h5", content);
  write_container(folder / "same.h5", content);
  content.bytes[3][0] ^= 1;
  write_container(folder / "b.h5", content);
  const auto hash = [](const std::vector<std::string>& paths) {
    return Dataset(paths).content_hash();
  };
  EXPECT_EQ(hash({folder / "a.h5"}).size(), 16U);
  EXPECT_EQ(hash({folder / "a.h5"}), hash({folder / "same.h5"}));
  EXPECT_NE(hash({folder / "a.h5"}), hash({folder / "b.h5"}));
  EXPECT_NE(hash({folder / "a.h5", folder / "b.h5"}), hash({folder / "b.h5", folder / "a.h5"}));
}

TEST(Dataset, NamesFileSampleAndSourceOfAFlippedByte) {
  const TemporaryFolder folder;
  const SmallContent content = small_content();
  write_container(folder / "a.h5", content);
  write_container(folder / "b.h5", content);
  flip_byte(folder / "b.h5", content.bytes[5]);
  const Dataset dataset({folder / "a.h5", folder / "b.h5"});
  Bytes bytes;
  for (std::size_t i = 0; i < 14; ++i) {
    if (i == 12) continue;
    EXPECT_NO_THROW(dataset.read(i, bytes)) << i;
  }
  try {
    dataset.read(12, bytes);
    FAIL() << "a damaged sample was read";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr((folder / "b.h5") + ": sample 5 (Birch/5.jpg)"));
    EXPECT_THAT(error.what(), HasSubstr("is damaged"));
  }
}

TEST(Dataset, RefusesWhatDoesNotBelongTogether) {
  const TemporaryFolder folder;
  SmallContent content = small_content();
  write_container(folder / "a.h5", content);
  content.class_names[1] = "Wheat";
  write_container(folder / "b.h5", content);
  EXPECT_THAT(refusal({folder / "a.h5", folder / "b.h5"}),
              HasSubstr("class 1 is 'Wheat', there 'Mais'"));
  EXPECT_THAT(refusal({folder / "a.h5", folder.path() + "/./a.h5"}), HasSubstr("listed twice"));
  EXPECT_THAT(refusal({folder / "x*.h5"}), HasSubstr("no file matches the pattern"));
  EXPECT_THAT(refusal({folder / "none.h5"}), HasSubstr("No such file"));
  EXPECT_THAT(refusal({}), HasSubstr("at least one"));
}

TEST(Dataset, TakesANameWithBracketsLiterally) {
  const TemporaryFolder folder;
  write_small_container(folder / "a[1].h5");
  EXPECT_EQ(refusal({folder / "a[1].h5"}), "");
}

TEST(Dataset, DecodesPicturesAndRawPixels) {
  const TemporaryFolder folder;
  SmallContent content = small_content();
  content.samples.resize(2);
  content.bytes.resize(2);
  content.bytes[0] = photograph();
  content.bytes[1] = {1, 2, 3, 4, 5, 6};
  const auto describe = [&content](std::size_t i, Codec codec, std::uint32_t h, std::uint32_t w) {
    content.samples[i].codec = codec;
    content.samples[i].height = h;
    content.samples[i].width = w;
    content.samples[i].length = static_cast<std::uint32_t>(content.bytes[i].size());
  };
  describe(0, Codec::kJpeg, 150, 150);
  describe(1, Codec::kRawRgb, 1, 2);
  write_container(folder / "a.h5", content);
  const Dataset dataset({folder / "a.h5"});
  Bytes scratch;
  EXPECT_EQ(dataset.decode(0, scratch).pixels, decode_image(content.bytes[0]).pixels);
  const Image raw = dataset.decode(1, scratch);
  EXPECT_EQ(raw.height, 1);
  EXPECT_EQ(raw.width, 2);
  EXPECT_EQ(raw.pixels, content.bytes[1]);
}

TEST(Dataset, NamesTheSampleThatCannotBeDecoded) {
  const TemporaryFolder folder;
  SmallContent content = small_content();
  content.bytes[2] = photograph();
  content.samples[2].length = static_cast<std::uint32_t>(content.bytes[2].size());
  write_container(folder / "a.h5", content);  // sample 0 is no picture, 2 has another size
  const Dataset dataset({folder / "a.h5"});
  Bytes scratch;
  const auto complaint = [&](std::uint64_t sample) -> std::string {
    try {
      static_cast<void>(dataset.decode(sample, scratch));
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(complaint(0), HasSubstr((folder / "a.h5") + ": sample 0 (Birch/0.jpg) cannot be "));
  EXPECT_THAT(complaint(2), HasSubstr("is 150 x 150 pixels, the index says 22 x 12"));
}

TEST(Dataset, ChecksHashesAtEveryReadOrAtTheFirst) {
  const TemporaryFolder folder;
  const SmallContent content = small_content();
  for (const HashChecks checks : {HashChecks::kAlways, HashChecks::kFirstRead}) {
    const std::string file = folder / "a.h5";
    write_container(file, content);
    const Dataset dataset({file}, {.hash_checks = checks});
    Bytes bytes;
    dataset.read(3, bytes);
    for (const std::uint64_t sample : {3U, 4U}) {
      std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
      stream.seekp(static_cast<std::streamoff>(dataset.location(sample).offset));
      stream.put(static_cast<char>(content.bytes[sample][0] ^ 1));
    }
    if (checks == HashChecks::kAlways) {
      EXPECT_THROW(dataset.read(3, bytes), InputError);
    } else {
      dataset.read(3, bytes);  // trusted since it was found sound
      EXPECT_EQ(bytes[0], content.bytes[3][0] ^ 1);
    }
    EXPECT_THROW(dataset.read(4, bytes), InputError);
    EXPECT_THROW(dataset.read(4, bytes), InputError);  // found damaged: never trusted
  }
}

TEST(Dataset, IsReadByManyThreads) {
  const TemporaryFolder folder;
  const SmallContent content = small_content();
  write_container(folder / "a.h5", content);
  const Dataset dataset({folder / "a.h5"});
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      Bytes bytes;
      for (std::size_t i = 0; i < 700; ++i) {
        dataset.read(i % 7, bytes);
        if (bytes != content.bytes[i % 7]) ++wrong[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace casvit::dataio
