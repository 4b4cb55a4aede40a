// Files of torch.save: those that PyTorch wrote (golden/) and hostile ones, without LibTorch.

#include "trainer/import/torch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trainer/checkpoint/scratch_folder.h"
#include "tests/trainer/import/torch_file_writer.h"
#include "trainer/error.h"
#include "trainer/import/checkpoint_contents.h"

namespace casvit::trainer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

const std::string kGolden = "trainer/import/golden/";
const std::string kSixFloats(24, '\x3f');
/// As the old form has them: the number of elements first.
const std::string kSixCounted = little_endian<std::uint64_t>(6) + kSixFloats;

std::string six_floats_pickle() {
  return PickleWriter()
      .raw("}")
      .text("w")
      .tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1})
      .raw("s")
      .end();
}

class TorchFileTest : public testing::Test {
 protected:
  std::string write(const std::string& bytes) {
    // A new file each time: one that is cut to nothing and written again goes to the disk at once.
    const std::string path = folder_ / "w.pth";
    std::filesystem::remove(path);
    write_bytes(path, bytes);
    return path;
  }
  std::string refusal(const std::string& bytes) {
    const std::string path = write(bytes);
    const std::string message =
        message_of<CheckpointError>([&] { read_contents(TorchFile(path)); });
    EXPECT_THAT(message, HasSubstr(path));
    return message;
  }
  /// Why a tensor of one storage of six floats cannot be read.
  std::string tensor_refusal(std::int64_t offset, const std::vector<std::int64_t>& shape,
                             const std::vector<std::int64_t>& strides) {
    const std::string pickle =
        PickleWriter().tensor("FloatStorage", "0", 6, offset, shape, strides).end();
    const TorchFile file(write(torch_zip(pickle, {{"0", kSixFloats}})));
    return message_of<CheckpointError>([&] { file.locate(file.graph().tensors[0], "w"); });
  }

 private:
  ScratchFolder folder_;
};

TEST_F(TorchFileTest, TrainersDictionaryInEveryForm) {
  for (const char* form : {"zip", "legacy", "protocol4"}) {
    SCOPED_TRACE(form);
    const TorchFile file(kGolden + "trainer." + form + ".pth");
    EXPECT_EQ(file.is_legacy(), form == std::string("legacy"));
    for (std::size_t i = 0; i < file.graph().storages.size(); ++i) file.check_storage(i);
    const CheckpointContents contents = read_contents(file);
    ASSERT_TRUE(contents.model && contents.ema);
    EXPECT_THAT(contents.model->tensors, SizeIs(9));
    EXPECT_THAT(contents.model->removed_prefixes, IsEmpty());
    EXPECT_THAT(contents.ema->removed_prefixes, ElementsAre("module."));
    EXPECT_EQ(contents.model->tensors.begin()->first, contents.ema->tensors.begin()->first);
    EXPECT_EQ(contents.notes.epoch, "best-ema_224");
    EXPECT_EQ(contents.notes.input_size, 224);
    EXPECT_THAT(contents.notes.accuracies,
                ElementsAre(Pair("max_accuracy", 78.5), Pair("max_accuracy_ema", 78.75)));
    EXPECT_THAT(contents.left_out,
                UnorderedElementsAre("optimizer", "scaler", "args", "shape", "type", "history"));
  }
}

TEST_F(TorchFileTest, ReadsBytesOfStorages) {
  const TorchFile zip(write(torch_zip(six_floats_pickle(), {{"0", kSixFloats}})));
  std::string bytes(20, '\0');
  zip.read(0, 4, bytes.data(), bytes.size());
  EXPECT_EQ(bytes, kSixFloats.substr(4));
  EXPECT_THROW(zip.read(0, 5, bytes.data(), bytes.size()), CheckpointError);
  EXPECT_THROW(zip.read(0, 25, bytes.data(), 0), CheckpointError);
  const TorchFile legacy(write(torch_legacy(six_floats_pickle(), {{"0", kSixCounted}})));
  legacy.read(0, 0, bytes.data(), bytes.size());
  EXPECT_EQ(bytes, kSixFloats.substr(4));
}

TEST_F(TorchFileTest, RefusesTensorsThatTheirStorageDoesNotHold) {
  EXPECT_THAT(tensor_refusal(1, {2, 3}, {3, 1}), HasSubstr("\"w\" reaches beyond its storage"));
  EXPECT_THAT(tensor_refusal(6, {1}, {1}), HasSubstr("reaches beyond"));
  EXPECT_THAT(tensor_refusal(0, {2, 3}, {1LL << 62, 1}), HasSubstr("reaches beyond"));
  EXPECT_THAT(tensor_refusal(0, {3, 3}, {1LL << 62, 1LL << 62}), HasSubstr("reaches beyond"));
  // A tensor that would be larger than the file: expanded.
  EXPECT_THAT(tensor_refusal(0, {1000000000}, {0}), HasSubstr("repeats elements"));
  EXPECT_THAT(tensor_refusal(0, {2, 4}, {1, 1}), HasSubstr("repeats elements"));
}

TEST_F(TorchFileTest, RefusesTensorsStrewnOverALargeStorage) {
  const std::int64_t many = 1 << 22;
  const std::string pickle =
      PickleWriter().tensor("ByteStorage", "0", many, 0, {2}, {many - 1}).end();
  const TorchFile file(write(torch_zip(pickle, {{"0", std::string(many, 'x')}})));
  EXPECT_THAT(message_of<CheckpointError>([&] { file.locate(file.graph().tensors[0], "w"); }),
              HasSubstr("strewn"));
}

TEST_F(TorchFileTest, RefusesZipsThatAreNotTorchs) {
  EXPECT_THAT(refusal(zip_of({{"readme.txt", "x"}})), HasSubstr("no data.pkl"));
  EXPECT_THAT(refusal(zip_of({{"a/data.pkl", "N."}, {"b/data.pkl", "N."}})),
              HasSubstr("two data.pkl"));
  EXPECT_THAT(refusal(zip_of({{"a/data.pkl", "N."}, {"a/byteorder", "big"}})),
              HasSubstr("another byte order (\"big\")"));
  EXPECT_THAT(refusal(zip_of({{"a/data.pkl", "N."}, {"a/constants.pkl", "N."}})),
              HasSubstr("TorchScript"));
  EXPECT_THAT(refusal(torch_zip(six_floats_pickle())), HasSubstr("lacks the storage \"0\""));
  EXPECT_THAT(refusal(torch_zip(six_floats_pickle(), {{"0", "short"}})),
              HasSubstr("has 5 bytes where its pickle says 24"));
  EXPECT_THAT(refusal(torch_zip("N.")), HasSubstr("holds no weights: it is None"));
}

TEST_F(TorchFileTest, RefusesOldFilesThatAreDamaged) {
  const std::string whole = torch_legacy(six_floats_pickle(), {{"0", kSixCounted}});
  for (std::size_t length = 0; length < whole.size(); ++length) refusal(whole.substr(0, length));
  EXPECT_THAT(refusal(whole + "x"), HasSubstr("1 bytes behind its last tensor"));
  EXPECT_THAT(refusal(torch_legacy(six_floats_pickle())),
              HasSubstr("lacks the bytes of a storage"));
  EXPECT_THAT(refusal(torch_legacy(six_floats_pickle(), {{"1", kSixCounted}})),
              HasSubstr("none of its tensors refers to"));
  EXPECT_THAT(refusal(torch_legacy(six_floats_pickle(), {{"0", kSixCounted}, {"0", kSixCounted}})),
              HasSubstr("or has it twice"));
  EXPECT_THAT(refusal(torch_legacy(six_floats_pickle(),
                                   {{"0", little_endian<std::uint64_t>(7) + kSixFloats}})),
              HasSubstr("has 7 elements where its pickle says 6"));
}

TEST_F(TorchFileTest, SaysWhatOtherFilesAre) {
  EXPECT_THAT(refusal(""), HasSubstr("is empty"));
  EXPECT_THAT(refusal("\x89HDF\r\n"), HasSubstr("no file of torch.save"));
  EXPECT_THAT(refusal(PickleWriter().text("hello").end()), HasSubstr("not one of torch.save"));
  EXPECT_THAT(refusal(little_endian<std::uint64_t>(2) + "{}"), HasSubstr("a safetensors file"));
}

// A long text that a pickle repeats for two bytes each must not be copied each time.
TEST_F(TorchFileTest, RefusesLongKeys) {
  PickleWriter pickle;
  pickle.raw("}(").text(std::string(1 << 20, 'k')).raw("q\1");
  pickle.tensor("FloatStorage", "0", 6, 0, {6}, {1}).raw("q\2");
  for (int i = 0; i < 100000; ++i) pickle.raw("h\1h\2");
  EXPECT_THAT(refusal(torch_zip(pickle.raw("u").end(), {{"0", kSixFloats}})),
              HasSubstr("a text of 1048576 bytes as a key"));
  EXPECT_THAT(
      refusal(torch_zip(PickleWriter().storage("FloatStorage", std::string(1000, '0'), 6).end())),
      HasSubstr("in a form that torch.save does not write"));
}

TEST_F(TorchFileTest, MmcvsBackboneIsTakenOutOfItsDetector) {
  PickleWriter detector;
  detector.raw("}(").text("meta").raw("}").text("state_dict").raw("}(");
  detector.text("backbone.norm0.bias").tensor("FloatStorage", "0", 6, 0, {3}, {1});
  detector.text("neck.bias").tensor("FloatStorage", "0", 6, 3, {3}, {1}).raw("uu");
  const TorchFile file(write(torch_zip(detector.end(), {{"0", kSixFloats}})));
  const CheckpointContents contents = read_contents(file);
  EXPECT_EQ(contents.model->key, "state_dict");
  EXPECT_THAT(contents.model->tensors, ElementsAre(Pair("norm0.bias", testing::_)));
  EXPECT_THAT(contents.model->left_out, ElementsAre("neck.bias"));
  EXPECT_THAT(contents.left_out, ElementsAre("meta"));
}

TEST_F(TorchFileTest, DamageAnywhereIsRefusedOrHarmless) {
  for (const std::string& whole : {torch_zip(six_floats_pickle(), {{"0", kSixFloats}}),
                                   torch_legacy(six_floats_pickle(), {{"0", kSixCounted}})}) {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      for (const char flip : {'\x01', '\x20', '\x80', '\xff'}) {
        std::string changed = whole;
        changed[i] = static_cast<char>(changed[i] ^ flip);
        try {
          const TorchFile file(write(changed));
          const CheckpointContents contents = read_contents(file);
          for (const auto& [name, tensor] : contents.model.value().tensors) {
            file.locate(tensor, name);
            file.check_storage(tensor.storage);
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
