// What is written as ONNX is valid, holds no batch norm, and computes what the model does; what
// does not is found and never gets its name.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <set>
#include <stdexcept>

#include "tests/trainer/checkpoint/scratch_folder.h"
#include "tests/trainer/export/filled_model.h"
#include "trainer/error.h"
#include "trainer/export/check_onnx.h"
#include "trainer/export/onnx_file.h"
#include "trainer/export/onnx_model.h"
#include "trainer/export/run_onnx.h"

namespace casvit::trainer {
namespace {

using testing::HasSubstr;

onnx::ModelProto exported(const Rcvit& model) {
  return onnx_model(model, {{"classes", "[\"oak\"]"}}, "a model");
}

TEST(Onnx, IsValidAndHasNoBatchNormLeft) {
  const Rcvit model = filled_model("rcvit_xs", 12, false);
  const onnx::ModelProto proto = exported(model);
  check_onnx(proto);
  EXPECT_EQ(proto.opset_import(0).version(), 17);
  EXPECT_EQ(proto.ir_version(), 8);
  EXPECT_EQ(proto.graph().input(0).name(), "input");
  EXPECT_EQ(proto.graph().output(0).name(), "logits");
  EXPECT_EQ(proto.metadata_props(0).value(), "[\"oak\"]");
  for (const onnx::NodeProto& node : proto.graph().node()) {
    EXPECT_NE(node.op_type(), "BatchNormalization") << node.name();
  }
}

TEST(Onnx, TensorsHaveTheOfficialNames) {
  const Rcvit model = filled_model("rcvit_s", 12, false);
  std::set<std::string> official;
  for (const ModelState::Entry& entry : model.state().entries()) {
    official.insert(entry.name);
  }
  const onnx::ModelProto proto = exported(model);
  for (const onnx::TensorProto& tensor : proto.graph().initializer()) {
    const std::string& name = tensor.name();
    EXPECT_TRUE(official.contains(name) || name.starts_with("gelu.") ||
                name.ends_with(".attn.qkv.bias"))  // of norm1
        << name;
  }
}

TEST(Onnx, ComputesTheModelsLogits) {
  for (const bool distillation : {false, true}) {
    const Rcvit model = filled_model("rcvit_xs", 12, distillation);
    const OnnxAgreement agreement = compare_with_onnx(model, exported(model), 64, "a");
    EXPECT_TRUE(agreement.is_close());
    EXPECT_LT(agreement.largest_difference, 1e-5 * agreement.largest_logit);
    EXPECT_EQ(agreement.same_top1, agreement.pictures);
  }
}

TEST(Onnx, DamageToTheGraphIsFound) {
  const Rcvit model = filled_model("rcvit_xs", 12, false);
  const onnx::ModelProto sound = exported(model);
  const auto is_close = [&](const onnx::ModelProto& proto) {
    return compare_with_onnx(model, proto, 32, "a").is_close();
  };
  for (const int place : {0, 40, sound.graph().initializer_size() - 1}) {
    onnx::ModelProto damaged = sound;
    onnx::TensorProto& tensor = *damaged.mutable_graph()->mutable_initializer(place);
    tensor.mutable_raw_data()->back() = 0x43;  // one number between 128 and 512
    EXPECT_FALSE(is_close(damaged)) << tensor.name();
  }
  onnx::ModelProto bent = sound;
  for (onnx::NodeProto& node : *bent.mutable_graph()->mutable_node()) {
    if (node.op_type() == "Relu") {
      node.set_op_type("Sigmoid");
      break;
    }
  }
  EXPECT_FALSE(is_close(bent));
}

TEST(Onnx, WeightsWhoseLogitsAreNotFiniteAreTheFilesFault) {
  const Rcvit model = filled_model("rcvit_xs", 12, false);
  at::Tensor bias = model.state().entry("head.bias").tensor;
  bias.fill_(std::numeric_limits<float>::quiet_NaN());
  EXPECT_THROW(compare_with_onnx(model, exported(model), 64, "a"), CheckpointError);
}

TEST(Onnx, WhatTheEvaluatorDoesNotKnowItRefuses) {
  const Rcvit model = filled_model("rcvit_xs", 12, false);
  const at::Tensor picture = golden::fill("input", {1, 3, 32, 32}, at::kFloat);
  const onnx::ModelProto sound = exported(model);

  onnx::ModelProto other = sound;
  other.mutable_graph()->mutable_node(1)->set_op_type("Softmax");
  EXPECT_THAT(message_of<std::runtime_error>([&] { run_onnx(other, picture); }),
              HasSubstr("operator is not known"));

  other = sound;
  onnx::AttributeProto& attribute = *other.mutable_graph()->mutable_node(0)->add_attribute();
  attribute.set_name("auto_pad");
  EXPECT_THAT(message_of<std::runtime_error>([&] { run_onnx(other, picture); }),
              HasSubstr("auto_pad"));

  other = sound;
  other.mutable_graph()->mutable_node(0)->set_input(0, "elsewhere");
  EXPECT_THAT(message_of<std::runtime_error>([&] { run_onnx(other, picture); }),
              HasSubstr("elsewhere"));
  EXPECT_ANY_THROW(check_onnx(other));

  EXPECT_THAT(message_of<std::runtime_error>([&] { run_onnx(sound, picture.narrow(1, 0, 2)); }),
              HasSubstr("another shape"));
}

TEST(Onnx, AFileThatFailsItsCheckNeverGetsItsName) {
  const ScratchFolder folder;
  const std::string path = folder / "a.onnx";
  const onnx::ModelProto model = exported(filled_model("rcvit_xs", 12, false));
  write_onnx(path, model, [](const onnx::ModelProto&) {});
  const auto refuse = [](const onnx::ModelProto&) { throw std::runtime_error("differs"); };
  EXPECT_THROW(write_onnx(folder / "b.onnx", model, refuse), std::runtime_error);
  EXPECT_THROW(write_onnx(path, onnx::ModelProto(), refuse), std::runtime_error);
  EXPECT_EQ(read_onnx(path).SerializeAsString(), model.SerializeAsString());  // as it was before
  EXPECT_THAT(names_in(folder.path()), testing::ElementsAre("a.onnx"));
}

TEST(Onnx, TheSameModelGivesTheSameBytes) {
  const ScratchFolder folder;
  std::uint64_t bytes = 0;
  for (const char* name : {"a.onnx", "b.onnx"}) {
    bytes = write_onnx(folder / name, exported(filled_model("rcvit_xs", 12, false)),
                       [](const onnx::ModelProto&) {});
  }
  EXPECT_EQ(bytes, std::filesystem::file_size(folder / "a.onnx"));
  EXPECT_EQ(read_bytes(folder / "a.onnx"), read_bytes(folder / "b.onnx"));
}

}  // namespace
}  // namespace casvit::trainer
