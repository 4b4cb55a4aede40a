#include <gtest/gtest.h>
#include <xxhash.h>

#include <thread>

#include "dataio/container/display.h"
#include "dataio/container/hdf5_write.h"
#include "dataio/container/reader.h"
#include "dataio/container/schema.h"
#include "dataio/container/writer.h"
#include "dataio/error.h"
#include "tests/dataio/container/small_container.h"

namespace casvit::dataio {
namespace {

TEST(Container, ReadsBackEverythingThatWasWritten) {
  const TemporaryFolder folder;
  const SmallContent content = small_content();
  write_container(folder / "a.h5", content);

  const ContainerReader reader(folder / "a.h5");
  const ContainerAttributes& attributes = reader.attributes();
  EXPECT_EQ(attributes.schema_major, schema::kMajor);
  EXPECT_EQ(attributes.split, "train");
  EXPECT_EQ(attributes.normalization.mean, content.description.normalization.mean);
  EXPECT_EQ(attributes.normalization.std, content.description.normalization.std);
  EXPECT_EQ(attributes.created, content.description.created);
  EXPECT_EQ(attributes.tool_version, content.description.tool_version);
  EXPECT_EQ(attributes.command_line, content.description.command_line);
  const MappedIndex& index = reader.index();
  EXPECT_EQ(index.class_names, content.class_names);
  EXPECT_EQ(index.class_counts, (std::vector<std::uint64_t>{3, 2, 2}));
  ASSERT_EQ(index.samples(), content.samples.size());
  Bytes bytes;
  for (std::size_t i = 0; i < content.samples.size(); ++i) {
    reader.read(i, bytes);
    EXPECT_EQ(bytes, content.bytes[i]) << i;
    EXPECT_EQ(index.height[i], content.samples[i].height);
    EXPECT_EQ(index.width[i], content.samples[i].width);
    EXPECT_EQ(index.codec[i], static_cast<std::uint8_t>(content.samples[i].codec));
    EXPECT_EQ(index.orientation[i], content.samples[i].orientation);
    EXPECT_EQ(index.label[i], content.samples[i].label);
    EXPECT_EQ(index.source_path(i), content.samples[i].source);
    EXPECT_EQ(index.xxh3[i], XXH3_64bits(content.bytes[i].data(), content.bytes[i].size()));
  }
}

TEST(Container, SamplesAreAlignedInTheArrayAndInTheFile) {
  const TemporaryFolder folder;
  write_small_container(folder / "a.h5");
  const ContainerReader reader(folder / "a.h5");
  const Hdf5Handle file(H5Fopen((folder / "a.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), &H5Fclose);
  const Hdf5Handle blob(H5Dopen2(file.get(), schema::kImagesBytes, H5P_DEFAULT), &H5Dclose);
  EXPECT_EQ(H5Dget_offset(blob.get()) % schema::kAlignment, 0U);
  for (const std::uint64_t offset : reader.index().offset) {
    EXPECT_EQ(offset % schema::kAlignment, 0U);
  }
}

TEST(Container, TheHdf5LibraryReadsTheSameBytes) {
  const TemporaryFolder folder;
  const SmallContent content = small_content();
  write_container(folder / "a.h5", content);
  const ContainerReader reader(folder / "a.h5");
  const Hdf5Handle file(H5Fopen((folder / "a.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), &H5Fclose);
  const Hdf5Handle array(H5Dopen2(file.get(), schema::kImagesBytes, H5P_DEFAULT), &H5Dclose);
  Bytes blob(H5Dget_storage_size(array.get()));
  CASVIT_HDF5(H5Dread(array.get(), H5T_STD_U8LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, blob.data()));
  for (std::size_t i = 0; i < content.bytes.size(); ++i) {
    const auto begin = blob.begin() + static_cast<std::ptrdiff_t>(reader.index().offset[i]);
    EXPECT_TRUE(std::equal(content.bytes[i].begin(), content.bytes[i].end(), begin)) << i;
  }
}

template <typename T>
void append(Bytes& all, const std::vector<T>& values);

template <typename T>
void append(Bytes& all, const ArrayView<T>& values) {
  append(all, std::vector<T>(values.begin(), values.end()));
}

template <typename T>
void append(Bytes& all, const std::vector<T>& values) {
  const std::uint64_t count = values.size();
  const auto* number = reinterpret_cast<const std::uint8_t*>(&count);
  all.insert(all.end(), number, number + sizeof count);
  const auto* begin = reinterpret_cast<const std::uint8_t*>(values.data());
  all.insert(all.end(), begin, begin + values.size() * sizeof(T));
}

TEST(Container, IndexHashIsTheDocumentedOne) {
  const TemporaryFolder folder;
  write_small_container(folder / "a.h5");
  const ContainerReader reader(folder / "a.h5");
  const MappedIndex& index = reader.index();
  Bytes all;
  append(all, index.offset);
  append(all, index.length);
  append(all, index.xxh3);
  append(all, index.height);
  append(all, index.width);
  append(all, index.codec);
  append(all, index.label);
  append(all, index.source_offset);
  std::vector<char> sources;
  for (std::uint64_t i = 0; i < index.samples(); ++i) {
    for (const char letter : index.source_path(i)) sources.push_back(letter);
  }
  append(all, sources);
  append(all, index.class_counts);
  append(all, std::vector<std::uint8_t>());  // then names: their number takes this one's place
  all[all.size() - 8] = static_cast<std::uint8_t>(index.class_names.size());
  for (const std::string& name : index.class_names) {
    append(all, std::vector<char>(name.begin(), name.end()));
  }
  append(all, index.orientation);
  EXPECT_EQ(reader.attributes().index_hash, XXH3_64bits(all.data(), all.size()));
}

TEST(Container, BytesOfTheFileDependOnNothingButTheContent) {
  const TemporaryFolder folder;
  const SmallContent content = small_content();
  write_container(folder / "a.h5", content);
  ContainerWriter writer(folder / "b.h5");
  const ContainerIndex index = index_of(content);
  std::vector<std::thread> threads;  // any order, several threads
  for (std::size_t i = content.bytes.size(); i-- > 0;) {
    threads.emplace_back(
        [&writer, &content, &index, i] { writer.blob().write(index.offset[i], content.bytes[i]); });
  }
  for (std::thread& thread : threads) thread.join();
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // another second of the clock
  writer.seal(content.description, index);
  writer.publish();
  EXPECT_EQ(file_bytes(folder / "a.h5"), file_bytes(folder / "b.h5"));
}

TEST(ContainerWriter, LeavesNothingBehindUnlessPublished) {
  const TemporaryFolder folder;
  const SmallContent content = small_content();
  {
    ContainerWriter writer(folder / "a.h5");
    write_bytes(writer, content);
    EXPECT_EQ(folder.names(), std::vector<std::string>{".a.h5.part"});
    writer.seal(content.description, index_of(content));
    EXPECT_EQ(folder.names(), std::vector<std::string>{".a.h5.part"});
  }
  EXPECT_TRUE(folder.names().empty());
}

TEST(ContainerWriter, IsContinuedByAnother) {
  const TemporaryFolder folder;
  const SmallContent content = small_content();
  write_container(folder / "a.h5", content);
  {
    ContainerWriter writer(folder / "b.h5");
    write_bytes(writer, content);
    writer.keep();
  }
  ContainerWriter writer(folder / "b.h5", BlobFile::Begin::kContinue);
  writer.seal(content.description, index_of(content));
  writer.publish();
  EXPECT_EQ(file_bytes(folder / "a.h5"), file_bytes(folder / "b.h5"));
}

TEST(ContainerWriter, IsNoHdf5FileBeforeItIsSealed) {
  const TemporaryFolder folder;
  const ContainerWriter writer(folder / "a.h5");
  write_bytes(writer, small_content());
  try {
    const ContainerReader reader(folder / ".a.h5.part");
    FAIL() << "an unfinished file was opened";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("not an HDF5 file"), std::string::npos);
  }
}

TEST(ContainerWriter, KeepsTheOldFileUntilTheNewOneIsWhole) {
  const TemporaryFolder folder;
  write_text(folder / "a.h5", "old");
  const SmallContent content = small_content();
  ContainerWriter writer(folder / "a.h5");
  write_bytes(writer, content);
  EXPECT_THROW(writer.publish(), std::logic_error);
  writer.seal(content.description, index_of(content));
  EXPECT_EQ(file_bytes(folder / "a.h5").size(), 3U);
  writer.publish();
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.h5"});
  EXPECT_EQ(ContainerReader(folder / "a.h5").index().samples(), content.samples.size());
}

TEST(ContainerWriter, NamesWhatCannotBeWritten) {
  const TemporaryFolder folder;
  SmallContent content = small_content();
  const auto refused = [&content](const std::string& path) -> std::string {
    try {
      ContainerWriter(path).seal(content.description, index_of(content));
    } catch (const OutputError& error) {
      return error.what();
    } catch (const UsageError& error) {
      return std::string("usage: ") + error.what();
    }
    return "";
  };
  EXPECT_NE(refused(folder / "none/a.h5").find("none/a.h5"), std::string::npos);
  EXPECT_NE(refused(folder.path()).find("it is a folder"), std::string::npos);
  EXPECT_NE(refused("/proc/a.h5").find("cannot write /proc/a.h5"), std::string::npos);
  content.class_names[1] = "\xff";
  EXPECT_NE(refused(folder / "a.h5").find("the class name '\xff' is not UTF-8"), std::string::npos);
  content.class_names[1] = std::string(4097, 'x');  // which no reader takes
  EXPECT_NE(refused(folder / "a.h5").find("has 4097 bytes"), std::string::npos);
  content = small_content();
  content.samples[2].label = 3;
  EXPECT_NE(refused(folder / "a.h5").find("label 3"), std::string::npos);
  content.samples.clear();
  EXPECT_NE(refused(folder / "a.h5").find("at least one picture"), std::string::npos);
  EXPECT_TRUE(folder.names().empty());
}

TEST(DisplayPath, KeepsTerminalsSafeFromFileNames) {
  EXPECT_EQ(display_path("a\n\x1b[2Jb \xc3\xa4"), "a\\x0a\\x1b[2Jb \xc3\xa4");
}

}  // namespace
}  // namespace casvit::dataio
