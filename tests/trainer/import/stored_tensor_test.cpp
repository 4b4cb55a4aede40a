// Tensors of every type and view that PyTorch saved (golden/) have the values that they had.

#include "trainer/import/stored_tensor.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "trainer/import/checkpoint_contents.h"

namespace casvit::trainer {
namespace {

const std::string kGolden = "trainer/import/golden/";

nlohmann::json expected(const std::string& part) {
  std::ifstream file(kGolden + "expected.json");
  return nlohmann::json::parse(file).at(part);
}

/// bool comes as uint8; the other names are ATen's own but for two.
at::ScalarType type_named(const std::string& name) {
  static const std::map<std::string, at::ScalarType> kTypes{
      {"float64", at::kDouble},    {"float32", at::kFloat}, {"float16", at::kHalf},
      {"bfloat16", at::kBFloat16}, {"int64", at::kLong},    {"int32", at::kInt},
      {"int16", at::kShort},       {"int8", at::kChar},     {"uint8", at::kByte},
      {"bool", at::kByte}};
  return kTypes.at(name);
}

void expect_tensors(const TorchFile& file, const StateDict& dict, const nlohmann::json& expected) {
  ASSERT_EQ(dict.tensors.size(), expected.size());
  for (const auto& [name, description] : expected.items()) {
    SCOPED_TRACE(name);
    const at::Tensor tensor = read_tensor(file, dict.tensors.at(name), name);
    EXPECT_EQ(tensor.scalar_type(), type_named(description.at("dtype")));
    EXPECT_EQ(tensor.sizes().vec(), description.at("shape").get<std::vector<std::int64_t>>());
    EXPECT_TRUE(tensor.is_contiguous());
    const auto values = description.at("values").get<std::vector<double>>();
    EXPECT_TRUE(at::equal(tensor.flatten().to(at::kDouble),
                          at::tensor(values, at::TensorOptions().dtype(at::kDouble))));
  }
}

TEST(StoredTensor, EveryTypeAndEveryView) {
  for (const char* form : {"zip", "legacy"}) {
    for (const char* part : {"types", "views"}) {
      SCOPED_TRACE(std::string(part) + " " + form);
      const TorchFile file(kGolden + part + "." + form + ".pth");
      expect_tensors(file, read_contents(file).model.value(), expected(part));
    }
  }
}

TEST(StoredTensor, TrainersModelAndEma) {
  for (const char* form : {"zip", "legacy", "protocol4"}) {
    SCOPED_TRACE(form);
    const TorchFile file(kGolden + "trainer." + form + ".pth");
    const CheckpointContents contents = read_contents(file);
    expect_tensors(file, contents.model.value(), expected("model"));
    expect_tensors(file, contents.ema.value(), expected("model_ema"));
  }
}

}  // namespace
}  // namespace casvit::trainer
