#include "dataio/pack/storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xxhash.h>

#include <cmath>
#include <filesystem>

#include "dataio/container/dataset.h"
#include "dataio/error.h"
#include "dataio/image/jpeg_encode.h"
#include "dataio/image/resize.h"
#include "dataio/pack/packer.h"
#include "tests/dataio/golden_data.h"
#include "tests/dataio/seedlings.h"
#include "tests/dataio/synthetic_picture.h"

namespace casvit::dataio {
namespace {

using ::testing::HasSubstr;
using testing::kGoldenFolder;
using testing::synthetic_picture;

struct Stored {
  Bytes bytes;
  SampleRecord record;
};

Stored store(const Bytes& source, const StorageOptions& options) {
  Stored stored;
  store_picture(source, options, stored.bytes, stored.record);
  return stored;
}

/// Peak signal-to-noise ratio in dB.
double psnr(const Image& a, const Image& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) {
    const double difference = static_cast<double>(a.pixels[i]) - b.pixels[i];
    sum += difference * difference;
  }
  return 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.pixels.size()) / sum);
}

TEST(Storage, LeavesBytesAloneUnlessAskedOtherwise) {
  StorageOptions options;
  options.resize = 150;  // what the picture has
  const Stored stored = store(photograph(3), options);
  EXPECT_EQ(stored.bytes, photograph(3));
  EXPECT_EQ(stored.record.length, photograph(3).size());
  EXPECT_EQ(stored.record.xxh3, XXH3_64bits(stored.bytes.data(), stored.bytes.size()));
  SampleRecord inspected;
  inspect_picture(photograph(3), StorageOptions(), inspected);
  EXPECT_EQ(inspected.xxh3, stored.record.xxh3);
  EXPECT_EQ(inspected.height, stored.record.height);
}

TEST(Storage, MakesTheShortSideAsLongAsAsked) {
  Image large;
  resize(decode_image(photograph(5)), 301, 200, Interpolation::kBicubic, large);
  const Bytes source = encode_jpeg(large, 95);
  StorageOptions options;
  options.resize = 100;
  options.quality = 90;
  const Stored stored = store(source, options);
  EXPECT_EQ(stored.record.width, 100U);
  EXPECT_EQ(stored.record.height, 150U);  // 301 * 100 / 200, cut, as torchvision's Resize
  EXPECT_EQ(stored.record.codec, Codec::kJpeg);
  const Image image = decode_image(stored.bytes);
  EXPECT_EQ(image.height, 150);
  Image expected;
  resize(decode_image(source), 150, 100, Interpolation::kBicubic, expected);
  EXPECT_GT(psnr(image, expected), 30);
  options.quality = 20;
  EXPECT_LT(store(source, options).bytes.size(), stored.bytes.size());
}

TEST(Storage, EncodesAnewForAQualityAlone) {
  StorageOptions options;
  options.quality = 40;
  const Bytes png = file_bytes(std::string(kSeedlings) + "/val/Maize/a53a61390.png");
  const Stored stored = store(png, options);
  EXPECT_EQ(stored.record.codec, Codec::kJpeg);
  EXPECT_GT(psnr(decode_image(stored.bytes), decode_image(png)), 25);
}

TEST(Storage, RawIsTheCentreOfTheResizedPicture) {
  for (const auto& [height, width] :
       {std::pair{60, 91}, {91, 60}, {300, 200}, {64, 64}, {65, 64}}) {
    const Bytes source = encode_jpeg(synthetic_picture(height, width, 2), 90);
    StorageOptions options;
    options.raw = 64;
    const Stored stored = store(source, options);
    ASSERT_EQ(stored.bytes.size(), 64U * 64 * 3);
    EXPECT_EQ(stored.record.codec, Codec::kRawRgb);
    EXPECT_EQ(stored.record.height, 64U);
    // torchvision: Resize(64), then CenterCrop(64).
    const bool tall = height > width;
    const int other = 64 * std::max(height, width) / std::min(height, width);
    Image scaled = decode_image(source);
    if (std::min(height, width) != 64) {
      resize(decode_image(source), tall ? other : 64, tall ? 64 : other, Interpolation::kBicubic,
             scaled);
    }
    const int top = static_cast<int>(std::nearbyint((scaled.height - 64) / 2.0));
    const int left = static_cast<int>(std::nearbyint((scaled.width - 64) / 2.0));
    for (int y = 0; y < 64; ++y) {
      const auto* row = scaled.row(top + y) + static_cast<std::size_t>(left) * 3;
      ASSERT_TRUE(std::equal(row, row + 64 * 3, stored.bytes.begin() + y * 64 * 3))
          << height << " x " << width << ", row " << y;
    }
  }
}

TEST(Storage, BaselineKeepsEveryPixelAndMarker) {
  StorageOptions options;
  options.baseline = true;
  int transcoded = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kGoldenFolder + "pictures")) {
    const std::string path = entry.path().string();
    if (entry.path().extension() != ".jpg") continue;
    const Bytes source = file_bytes(path);
    const Stored stored = store(source, options);
    EXPECT_FALSE(needs_baseline(stored.bytes)) << path;
    EXPECT_EQ(decode_image(stored.bytes).pixels, decode_image(source).pixels) << path;
    const bool changed = needs_baseline(source);
    transcoded += changed ? 1 : 0;
    EXPECT_EQ(stored.bytes == source, !changed) << path;
  }
  EXPECT_GE(transcoded, 3);
  Bytes progressive = file_bytes(kGoldenFolder + "pictures/jpeg-420-progressive.jpg");
  const std::string mark = "an odd thing to keep";
  Bytes comment = {0xFF, 0xFE, 0, static_cast<std::uint8_t>(mark.size() + 2)};
  comment.insert(comment.end(), mark.begin(), mark.end());
  progressive.insert(progressive.begin() + 2, comment.begin(), comment.end());
  const Stored stored = store(progressive, options);
  EXPECT_NE(std::search(stored.bytes.begin(), stored.bytes.end(), comment.begin(), comment.end()),
            stored.bytes.end());
}

/// libjpeg smooths a progressive picture whose last scans never came. No baseline JPEG could ask
/// for that, so that the pixels would be others.
TEST(Storage, BaselineLeavesPicturesWithMissingScansAsTheyAre) {
  StorageOptions options;
  options.baseline = true;
  const Bytes whole = file_bytes(kGoldenFolder + "pictures/jpeg-420-progressive.jpg");
  const Bytes scan = {0xFF, 0xDA};
  auto end = std::search(whole.begin(), whole.end(), scan.begin(), scan.end());
  for (int scans = 0; scans < 3; ++scans) {
    end = std::search(end + 2, whole.end(), scan.begin(), scan.end());
    ASSERT_NE(end, whole.end());
    Bytes part(whole.begin(), end);
    part.insert(part.end(), {0xFF, 0xD9});
    EXPECT_EQ(store(part, options).bytes, part) << scans + 1 << " scans";
  }
}

TEST(Storage, RejectsWhatIsCorruptInside) {
  Bytes progressive = file_bytes(kGoldenFolder + "pictures/jpeg-420-progressive.jpg");
  std::fill(progressive.end() - 60, progressive.end() - 2, 0);  // its structure stays
  StorageOptions options;
  options.baseline = true;
  EXPECT_THROW(store(progressive, options), InputError);
  options = StorageOptions();
  options.raw = 32;
  EXPECT_THROW(store(progressive, options), InputError);
}

TEST(Storage, OfOtherSizesIsPackedTheSameByAnyNumberOfWorkers) {
  const TemporaryFolder folder;
  make_image_folder(folder / "in", {"a", "b"}, 25);
  write_text(folder / "in/a/7x.jpg", "no picture");
  PackOptions options;
  options.source = folder / "in";
  options.storage.resize = 64;
  Bytes first;
  for (const int workers : {1, 2, 5}) {
    options.output = folder / "out.h5";
    options.workers = workers;
    const PackResult result = pack(options, [](auto, auto, auto) {});
    EXPECT_EQ(result.rejected.size(), 1U);
    const Bytes bytes = file_bytes(folder / "out.h5");
    if (first.empty()) first = bytes;
    EXPECT_EQ(bytes, first) << workers;
  }
  const Dataset dataset({folder / "out.h5"});
  Bytes scratch;
  for (std::uint64_t i = 0; i < dataset.size(); ++i) {
    EXPECT_EQ(dataset.decode(i, scratch).height, 64);
  }
}

TEST(Storage, RawSamplesAreReadBack) {
  const TemporaryFolder folder;
  make_image_folder(folder / "in", {"a"}, 3);
  PackOptions options;
  options.source = folder / "in";
  options.output = folder / "out.h5";
  options.storage.raw = 48;
  static_cast<void>(pack(options, [](auto, auto, auto) {}));
  const Dataset dataset({folder / "out.h5"});
  Bytes scratch;
  for (std::uint64_t i = 0; i < 3; ++i) {
    const Image image = dataset.decode(i, scratch);
    EXPECT_EQ(image.height, 48);
    EXPECT_EQ(image.width, 48);
    EXPECT_EQ(image.pixels, store(photograph(i), options.storage).bytes);
  }
}

}  // namespace
}  // namespace casvit::dataio
