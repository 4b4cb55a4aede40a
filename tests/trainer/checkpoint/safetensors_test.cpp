#include "trainer/checkpoint/safetensors.h"

#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdint>
#include <cstring>
#include <numeric>
#include <string>

#include "tests/trainer/checkpoint/example_tensors.h"
#include "tests/trainer/checkpoint/scratch_folder.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Every byte different from its neighbours, whatever the dtype makes of them.
at::Tensor patterned(at::ScalarType dtype, at::IntArrayRef shape) {
  at::Tensor tensor = at::empty(shape, dtype);
  auto* bytes = static_cast<unsigned char*>(tensor.mutable_data_ptr());
  const int modulus = dtype == at::kBool ? 2 : 251;
  for (std::size_t i = 0; i < tensor.nbytes(); ++i) {
    bytes[i] = static_cast<unsigned char>(i % static_cast<std::size_t>(modulus));
  }
  return tensor;
}

class EveryDtype : public testing::TestWithParam<at::ScalarType> {};

TEST_P(EveryDtype, ComesBackWithItsBytes) {
  const ScratchFolder folder;
  const std::vector<NamedTensor> tensors{{"cube", patterned(GetParam(), {2, 3, 5})},
                                         {"empty", at::empty({4, 0, 3}, GetParam())},
                                         {"scalar", patterned(GetParam(), {})}};
  write_safetensors(folder / "a.safetensors", tensors, {});
  const TensorFile file = read_safetensors(folder / "a.safetensors");
  ASSERT_EQ(file.tensors.size(), 3U);
  for (const auto& [name, tensor] : tensors) {
    ASSERT_NE(file.find(name), nullptr) << name;
    EXPECT_TRUE(same_bytes(*file.find(name), tensor)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Safetensors, EveryDtype,
                         testing::Values(at::kBool, at::kByte, at::kChar, at::kShort, at::kInt,
                                         at::kLong, at::kHalf, at::kBFloat16, at::kFloat,
                                         at::kDouble, at::kUInt16, at::kUInt32, at::kUInt64,
                                         at::kFloat8_e4m3fn, at::kFloat8_e5m2),
                         [](const auto& info) { return std::string(c10::toString(info.param)); });

TEST(Safetensors, KeepsMetadataAndNamesOfAnyText) {
  const ScratchFolder folder;
  const std::map<std::string, std::string> metadata{
      {"quote\"d", "line\nbreak \\ \x01"}, {"empty", ""}, {"naïve", "日本語"}};
  const std::vector<NamedTensor> tensors{{"wei\"ght/ü", counting({2})}};
  write_safetensors(folder / "a.safetensors", tensors, metadata);
  const TensorFile file = read_safetensors(folder / "a.safetensors");
  EXPECT_EQ(file.metadata, metadata);
  EXPECT_TRUE(same_tensors(file.tensors, tensors));
  EXPECT_EQ(file.find("weight"), nullptr);
}

TEST(Safetensors, StoresStridedTensorsInRowMajorOrder) {
  const ScratchFolder folder;
  const at::Tensor image = counting({2, 3, 4, 5});
  const at::Tensor matrix = counting({3, 4});
  const at::Tensor gradient = counting({3}).requires_grad_(true);
  write_safetensors(folder / "a.safetensors",
                    {{"channels_last", image.contiguous(at::MemoryFormat::ChannelsLast)},
                     {"transposed", matrix.t()},
                     {"row", matrix[1]},
                     {"expanded", counting({1, 3}).expand({2, 3})},
                     {"with_gradient", gradient.mul(1)}},
                    {});
  const TensorFile file = read_safetensors(folder / "a.safetensors");
  EXPECT_TRUE(same_bytes(*file.find("channels_last"), image));
  EXPECT_TRUE(file.find("channels_last")->is_contiguous(at::MemoryFormat::Contiguous));
  EXPECT_TRUE(same_bytes(*file.find("transposed"), matrix.t()));
  EXPECT_TRUE(same_bytes(*file.find("row"), matrix[1]));
  EXPECT_TRUE(same_bytes(*file.find("expanded"), counting({1, 3}).expand({2, 3}).contiguous()));
  EXPECT_FALSE(file.find("with_gradient")->requires_grad());
}

TEST(Safetensors, DataBeginAlignedAndWidestDtypesComeFirst) {
  const ScratchFolder folder;
  write_safetensors(folder / "a.safetensors",
                    {{"b_bool", at::zeros({3}, at::kBool)},
                     {"z_float", counting({1})},
                     {"a_float", counting({1})},
                     {"c_half", counting({3}, at::kHalf)},
                     {"d_long", counting({1}, at::kLong)}},
                    {});
  std::vector<std::string> order;
  for (const auto& [name, tensor] : read_safetensors(folder / "a.safetensors").tensors) {
    order.push_back(name);
  }
  EXPECT_THAT(order, ElementsAre("d_long", "a_float", "z_float", "c_half", "b_bool"));
  std::uint64_t length = 0;
  const std::string bytes = read_bytes(folder / "a.safetensors");
  std::memcpy(&length, bytes.data(), sizeof length);
  EXPECT_EQ(length % 8, 0U);
  EXPECT_EQ(bytes.size(), 8 + length + 8 + 4 + 4 + 6 + 3);
}

TEST(Safetensors, FileWithoutTensorsIsAFile) {
  const ScratchFolder folder;
  write_safetensors(folder / "a.safetensors", {}, {});
  EXPECT_TRUE(read_safetensors(folder / "a.safetensors").tensors.empty());
}

TEST(Safetensors, ReplacesAFileAndLeavesNothingElse) {
  const ScratchFolder folder;
  write_safetensors(folder / "a.safetensors", {{"old", counting({100})}}, {});
  write_safetensors(folder / "a.safetensors", {{"new", counting({2})}}, {});
  EXPECT_NE(read_safetensors(folder / "a.safetensors").find("new"), nullptr);
  EXPECT_THAT(names_in(folder.path()), ElementsAre("a.safetensors"));
}

TEST(Safetensors, RefusesTensorsThatNoFileCanHold) {
  const ScratchFolder folder;
  const auto message = [&](const std::vector<NamedTensor>& tensors) {
    return message_of<std::invalid_argument>(
        [&] { write_safetensors(folder / "a.safetensors", tensors, {}); });
  };
  EXPECT_THAT(message({{"a", counting({1})}, {"a", counting({1})}}),
              HasSubstr("\"a\" is given twice"));
  EXPECT_THAT(message({{"__metadata__", counting({1})}}), HasSubstr("reserved"));
  EXPECT_THAT(message({{"a", at::Tensor()}}), HasSubstr("not a dense tensor"));
  EXPECT_THAT(message({{"a", at::empty({1}, at::kComplexDouble)}}), HasSubstr("ComplexDouble"));
  EXPECT_THAT(message({{"\xff", counting({1})}}), HasSubstr("UTF-8"));
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(Safetensors, RefusesToReplaceWhatIsNoFile) {
  const ScratchFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::filesystem::create_directory(folder / "sub");
  EXPECT_THAT(message_of<OutputError>([&] { write_safetensors(folder / "pipe", {}, {}); }),
              testing::AllOf(HasSubstr("pipe"), HasSubstr("not a regular file")));
  EXPECT_THAT(message_of<OutputError>([&] { write_safetensors(folder / "sub", {}, {}); }),
              HasSubstr("folder"));
  EXPECT_THAT(message_of<CheckpointError>([&] { read_safetensors(folder / "pipe"); }),
              HasSubstr("not a regular file"));
}

}  // namespace
}  // namespace casvit::trainer
