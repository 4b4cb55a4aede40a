#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <limits>

#include "dataio/container/display.h"
#include "dataio/container/reader.h"
#include "dataio/container/schema.h"
#include "dataio/error.h"
#include "tests/dataio/container/broken_container.h"

namespace casvit::dataio {
namespace {

using ::testing::HasSubstr;

/// What opening `path` complains about; "" when it opens.
std::string refusal(const std::string& path) {
  try {
    const ContainerReader reader(path);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

struct Breakage {
  std::string name;
  std::function<void(hid_t)> change;
  std::string complaint;
};

void PrintTo(const Breakage& breakage, std::ostream* out) { *out << breakage.name; }

/// Removes the pictures and makes an array of the same size, stored in another way.
void store_pictures(hid_t file, const std::function<void(hid_t)>& choose_storage) {
  remove_array(file, schema::kImagesBytes);
  create_stored_otherwise(file, schema::kImagesBytes, 4096, choose_storage);
}

void chunk(hid_t creation) {
  const hsize_t size = 512;
  CASVIT_HDF5(H5Pset_chunk(creation, 1, &size));
}

void map_virtually(hid_t creation) {
  const hsize_t size = 4096;
  const Hdf5Handle space(CASVIT_HDF5(H5Screate_simple(1, &size, nullptr)), &H5Sclose);
  CASVIT_HDF5(H5Pset_virtual(creation, space.get(), "other.h5", "/bytes", space.get()));
}

/// Names that nobody wrote: a hole in the file, which takes no disk.
void replace_names(hid_t file, std::uint64_t elements, std::size_t width) {
  remove_array(file, schema::kClassesName);
  const Hdf5Handle type(CASVIT_HDF5(H5Tcopy(H5T_C_S1)), &H5Tclose);
  CASVIT_HDF5(H5Tset_size(type.get(), width));
  create_array(file, schema::kClassesName, type.get(), elements);
}

std::vector<Breakage> breakages() {
  using U8 = std::uint8_t;
  using U32 = std::uint32_t;
  using U64 = std::uint64_t;
  constexpr U64 kHuge = std::numeric_limits<U64>::max();
  std::vector<Breakage> all{
      {"FormatMissing", [](hid_t f) { H5Adelete(f, "format"); }, "not a casvit container"},
      {"FormatOther", [](hid_t f) { replace_attribute(f, "format", std::string("imagenet")); },
       "not a casvit container"},
      {"FormatNotText", [](hid_t f) { replace_attribute(f, "format", U32{7}); },
       "'format' has the wrong type"},
      {"SchemaNewer", [](hid_t f) { replace_attribute(f, "schema_major", U32{2}); },
       "use a newer casvit"},
      {"SchemaOlder", [](hid_t f) { replace_attribute(f, "schema_major", U32{0}); },
       "pack it again"},
      {"CompleteMissing", [](hid_t f) { H5Adelete(f, "complete"); }, "not complete"},
      {"CompleteNotSet", [](hid_t f) { replace_attribute(f, "complete", U32{0}); }, "not complete"},
      {"SplitMissing", [](hid_t f) { H5Adelete(f, "split"); }, "'split' is missing"},
      {"StdZero",
       [](hid_t f) {
         replace_attribute(f, "std", std::array<float, 3>{0.1F, 0.0F, 0.1F});
       },
       "std is not > 0"},
      {"IndexHashMissing", [](hid_t f) { H5Adelete(f, "index_hash"); }, "'index_hash' is missing"},
      {"IndexAltered", [](hid_t f) { set_element<U64>(f, schema::kImagesXxh3, 2, 99); },
       "its index was altered"},
      {"LabelsExchanged",
       [](hid_t f) {
         set_element<std::int32_t>(f, schema::kLabelsClass, 0, 1);
         set_element<std::int32_t>(f, schema::kLabelsClass, 1, 0);
       },
       "its index was altered"},
      {"ArraysDisagree",
       [](hid_t f) {
         replace_array<U32>(f, schema::kImagesLength, {1, 1, 1});
       },
       "/images/length has 3"},
      {"ElementTypeOther",
       [](hid_t f) { replace_array<U32>(f, schema::kImagesOffset, std::vector<U32>(7)); },
       "/images/offset has the wrong element type"},
      {"OffsetBeyond", [](hid_t f) { set_element<U64>(f, schema::kImagesOffset, 6, 4096); },
       "sample 6 lies outside"},
      {"OffsetOverflows", [](hid_t f) { set_element<U64>(f, schema::kImagesOffset, 1, kHuge - 8); },
       "sample 1 lies outside"},
      {"LengthBeyond", [](hid_t f) { set_element<U32>(f, schema::kImagesLength, 6, 4096); },
       "sample 6 lies outside"},
      {"LengthZero", [](hid_t f) { set_element<U32>(f, schema::kImagesLength, 2, 0); },
       "sample 2 is empty"},
      {"HeightZero", [](hid_t f) { set_element<U32>(f, schema::kImagesHeight, 2, 0); },
       "no pixels"},
      {"CodecUnknown", [](hid_t f) { set_element<U8>(f, schema::kImagesCodec, 3, 4); },
       "unknown codec 4"},
      {"OrientationZero", [](hid_t f) { set_element<U8>(f, schema::kImagesOrientation, 3, 0); },
       "sample 3 has the orientation 0, outside 1 to 8"},
      {"OrientationBeyond", [](hid_t f) { set_element<U8>(f, schema::kImagesOrientation, 3, 9); },
       "sample 3 has the orientation 9"},
      {"OrientationAltered", [](hid_t f) { set_element<U8>(f, schema::kImagesOrientation, 3, 8); },
       "its index was altered"},
      {"OrientationTooShort",
       [](hid_t f) {
         replace_array<U8>(f, schema::kImagesOrientation, {1, 1, 1});
       },
       "/images/orientation has 3"},
      {"OrientationRemoved", [](hid_t f) { remove_array(f, schema::kImagesOrientation); },
       "its index was altered"},
      {"RawOfAnotherSize", [](hid_t f) { set_element<U8>(f, schema::kImagesCodec, 3, 0); },
       "not height x width x 3"},
      {"LabelNegative", [](hid_t f) { set_element<std::int32_t>(f, schema::kLabelsClass, 4, -1); },
       "sample 4 has the label -1"},
      {"LabelBeyond", [](hid_t f) { set_element<std::int32_t>(f, schema::kLabelsClass, 4, 3); },
       "sample 4 has the label 3"},
      {"ClassCountOther", [](hid_t f) { set_element<U64>(f, schema::kClassesCount, 0, 8); },
       "/classes/count disagrees"},
      {"ClassesDisagree",
       [](hid_t f) {
         replace_array<U64>(f, schema::kClassesCount, {3, 4});
       },
       "/classes/count has 2"},
      {"ClassCountsWithoutEnd",
       [](hid_t f) {
         remove_array(f, schema::kClassesCount);
         create_array(f, schema::kClassesCount, hdf5_type<U64>(), 1ULL << 27U);
       },
       "/classes/count has 134217728"},
      {"ClassNamesTooWide", [](hid_t f) { replace_names(f, 3, 5000); },
       "has names of 5000 bytes, more than 4096"},
      {"ClassNamesTooMany", [](hid_t f) { replace_names(f, 1000001, 8); },
       "has more than 1000000 entries"},
      {"ClassNamesOfTooManyBytes", [](hid_t f) { replace_names(f, 200000, 4096); },
       "has more than 268435456 bytes"},
      {"ClassNamedTwice",
       [](hid_t f) {
         remove_array(f, schema::kClassesName);
         write_names(f, schema::kClassesName, {"a", "b", "a"});
       },
       "two classes are named 'a'"},
      {"ClassWithoutName",
       [](hid_t f) {
         remove_array(f, schema::kClassesName);
         write_names(f, schema::kClassesName, {"a", "b", ""});
       },
       "a class name is empty"},
      {"ClassNamesAreNumbers",
       [](hid_t f) {
         replace_array<U8>(f, schema::kClassesName, {1, 2, 3});
       },
       "does not hold strings"},
      {"SourceOffsetsDecrease", [](hid_t f) { set_element<U64>(f, schema::kSourceOffset, 3, 1); },
       "/source/offset decreases"},
      {"SourceOffsetsBeyond", [](hid_t f) { set_element<U64>(f, schema::kSourceOffset, 7, 1000); },
       "does not cover"},
      {"SourceOffsetsTooFew",
       [](hid_t f) { replace_array<U64>(f, schema::kSourceOffset, std::vector<U64>(7)); },
       "8 entries in /source/offset"},
      {"PicturesChunked", [](hid_t f) { store_pictures(f, chunk); }, "is stored chunked"},
      {"PicturesFiltered",
       [](hid_t f) {
         store_pictures(f, [](hid_t creation) {
           chunk(creation);
           CASVIT_HDF5(H5Pset_shuffle(creation));
         });
       },
       "is stored chunked"},
      {"PicturesCompact",
       [](hid_t f) {
         store_pictures(f,
                        [](hid_t creation) { CASVIT_HDF5(H5Pset_layout(creation, H5D_COMPACT)); });
       },
       "is stored compact"},
      {"PicturesVirtual", [](hid_t f) { store_pictures(f, map_virtually); }, "is stored virtual"},
      {"PicturesExternal",
       [](hid_t f) {
         store_pictures(f, [](hid_t creation) {
           CASVIT_HDF5(H5Pset_external(creation, "/etc/passwd", 0, 4096));
         });
       },
       "is stored in an external file"},
      {"PicturesNeverWritten", [](hid_t f) { store_pictures(f, [](hid_t) {}); },
       "was never written"},
      {"PicturesElsewhere",
       [](hid_t f) {
         remove_array(f, schema::kImagesBytes);
         CASVIT_HDF5(H5Lcreate_external("other.h5", "/bytes", f, schema::kImagesBytes, H5P_DEFAULT,
                                        H5P_DEFAULT));
       },
       "/images/bytes is a link to elsewhere"},
      {"GroupElsewhere",
       [](hid_t f) {
         CASVIT_HDF5(H5Lmove(f, "/labels", f, "/moved", H5P_DEFAULT, H5P_DEFAULT));
         CASVIT_HDF5(H5Lcreate_soft("/moved", f, "/labels", H5P_DEFAULT, H5P_DEFAULT));
       },
       "/labels is a link to elsewhere"},
      {"GroupInsteadOfArray",
       [](hid_t f) {
         remove_array(f, schema::kImagesCodec);
         const Hdf5Handle group(CASVIT_HDF5(H5Gcreate2(f, schema::kImagesCodec, H5P_DEFAULT,
                                                       H5P_DEFAULT, H5P_DEFAULT)),
                                &H5Gclose);
       },
       "it is damaged"},
      {"TwoDimensions",
       [](hid_t f) {
         remove_array(f, schema::kImagesCodec);
         const std::array<hsize_t, 2> size{7, 1};
         const Hdf5Handle space(CASVIT_HDF5(H5Screate_simple(2, size.data(), nullptr)), &H5Sclose);
         const Hdf5Handle array(
             CASVIT_HDF5(H5Dcreate2(f, schema::kImagesCodec, H5T_STD_U8LE, space.get(), H5P_DEFAULT,
                                    H5P_DEFAULT, H5P_DEFAULT)),
             &H5Dclose);
       },
       "does not have one dimension"},
  };
  for (const char* name :
       {schema::kImagesBytes, schema::kImagesOffset, schema::kImagesLength, schema::kImagesXxh3,
        schema::kImagesHeight, schema::kImagesWidth, schema::kImagesCodec, schema::kLabelsClass,
        schema::kClassesName, schema::kClassesCount, schema::kSourcePath, schema::kSourceOffset}) {
    std::string title = std::string("Missing") + name;
    std::replace(title.begin(), title.end(), '/', '_');
    all.push_back({title, [name](hid_t f) { remove_array(f, name); },
                   "the array " + std::string(name) + " is missing"});
  }
  return all;
}

class RefusesContainer : public ::testing::TestWithParam<Breakage> {};

TEST_P(RefusesContainer, NamingTheFileAndTheReason) {
  const TemporaryFolder folder;
  const std::string path = folder / "broken.h5";
  write_small_container(path);
  ASSERT_EQ(refusal(path), "");
  change_container(path, GetParam().change);
  EXPECT_THAT(refusal(path), HasSubstr("cannot read " + path + ": "));
  EXPECT_THAT(refusal(path), HasSubstr(GetParam().complaint));
}

INSTANTIATE_TEST_SUITE_P(Broken, RefusesContainer, ::testing::ValuesIn(breakages()),
                         [](const auto& info) { return info.param.name; });

TEST(RefusesFile, ThatIsMissingOrNoHdf5) {
  const TemporaryFolder folder;
  EXPECT_THAT(refusal(folder / "none.h5"),
              HasSubstr("cannot read " + folder.path() + "/none.h5: No such file or directory"));
  EXPECT_THAT(refusal(folder.path()), HasSubstr("it is a folder"));
  write_text(folder / "text.h5", "these are not the pictures you are looking for");
  EXPECT_THAT(refusal(folder / "text.h5"), HasSubstr("not an HDF5 file"));
  write_text(folder / "empty.h5", "");
  EXPECT_THAT(refusal(folder / "empty.h5"), HasSubstr("not an HDF5 file"));
  ASSERT_EQ(::mkfifo((folder / "pipe.h5").c_str(), 0600), 0);
  EXPECT_THAT(refusal(folder / "pipe.h5"), HasSubstr("not a regular file"));
}

TEST(RefusesFile, CutShortAnywhere) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  write_small_container(path);
  const Bytes whole = file_bytes(path);
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    write_file(path, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    EXPECT_NE(refusal(path), "") << "cut to " << size << " of " << whole.size();
  }
}

TEST(AcceptsFile, OfSchema10ThatKnowsNoOrientation) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  write_small_container(path);
  const auto hash_without_orientation = [&path] {
    const ContainerReader reader(path);
    MappedIndex index = reader.index();
    index.orientation_stored = false;
    return hash_text(index_hash(index));
  };
  const std::string hash = hash_without_orientation();
  change_container(path, [&hash](hid_t f) {
    remove_array(f, schema::kImagesOrientation);
    replace_attribute(f, "schema_minor", std::uint32_t{0});
    replace_attribute(f, "index_hash", hash);
  });
  const ContainerReader reader(path);
  const auto& orientation = reader.index().orientation;
  EXPECT_EQ(std::vector<std::uint8_t>(orientation.begin(), orientation.end()),
            std::vector<std::uint8_t>(7, 1));
}

TEST(AcceptsFile, OfANewerMinorSchema) {
  const TemporaryFolder folder;
  write_small_container(folder / "a.h5");
  change_container(folder / "a.h5",
                   [](hid_t f) { replace_attribute(f, "schema_minor", std::uint32_t{9}); });
  EXPECT_EQ(refusal(folder / "a.h5"), "");
}

}  // namespace
}  // namespace casvit::dataio
