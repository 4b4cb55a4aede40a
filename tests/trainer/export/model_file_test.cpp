// What is known of a model from its file: a checkpoint's own words, an exported file's, or shapes.

#include "trainer/engine/model_file.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trainer/checkpoint/scratch_folder.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<Override> kPreprocessing{{"model.image_size", "96"},
                                           {"augment.eval_crop_ratio", "0.9"},
                                           {"data.mean", "[0.1,0.2,0.3]"},
                                           {"data.std", "[0.4,0.5,0.6]"}};

std::vector<NamedTensor> tensors_of(const std::string& name, const std::string& prefix,
                                    bool distillation = false) {
  RcvitOptions options = rcvit_options(name);
  options.num_classes = 3;
  options.distillation = distillation;
  Rcvit model(options, at::kFloat, at::kCPU);
  model.initialise(1);
  std::vector<NamedTensor> tensors;
  for (const ModelState::Entry& entry : model.state().entries()) {
    tensors.push_back({prefix + entry.name, entry.tensor.clone()});
  }
  return tensors;
}

class ModelFile : public testing::Test {
 protected:
  std::string plain(const std::string& name,
                    const std::map<std::string, std::string>& metadata = {},
                    bool distillation = false) const {
    write_safetensors(path_, tensors_of(name, "", distillation), metadata);
    return path_;
  }

  ScratchFolder folder_;
  std::string path_ = folder_ / "a.safetensors";
};

TEST_F(ModelFile, ShapesTellTheSizeClassesAndHeadsOfPlainWeights) {
  for (const std::string& name : rcvit_names()) {
    const Config config = describe_model(plain(name, {}, name == "rcvit_s"), {}).config;
    EXPECT_EQ(config.model.name, name);
    EXPECT_EQ(config.model.num_classes, 3);
    EXPECT_EQ(config.model.distillation, name == "rcvit_s");
  }
}

TEST_F(ModelFile, WhatPlainWeightsDoNotSayMustBeGiven) {
  plain("rcvit_xs");
  const ModelDescription description = describe_model(path_, {{"data.mean", "[0.1,0.2,0.3]"}});
  EXPECT_THAT(description.unsaid,
              ElementsAre("model.image_size", "augment.eval_crop_ratio", "data.std"));
  EXPECT_THAT(message_of<ConfigError>([&] { load_model(path_, WeightsChoice::kAuto, {}); }),
              HasSubstr("--set model.image_size=224"));
  const dataio::EvalTransformOptions transform =
      load_model(path_, WeightsChoice::kAuto, kPreprocessing).transform();
  EXPECT_EQ(transform.image_size, 96);
  EXPECT_EQ(transform.crop_ratio, 0.9);
  EXPECT_THAT(transform.normalization.std, ElementsAre(0.4F, 0.5F, 0.6F));
}

TEST_F(ModelFile, MetadataOfAnExportedFileComeBackAsTheyWere) {
  ModelMetadata metadata;
  metadata.architecture = "rcvit_xs";
  metadata.preprocessing = {{0.1F, 0.2F, 1.0F / 3}, {0.4F, 0.5F, 0.7F}, 96, 0.9, "bilinear", true};
  metadata.classes = {"oak", "Straße, \"elm\"", "ash"};
  metadata.weights = "ema";
  metadata.training_data_hash = "0123456789abcdef";
  plain("rcvit_xs", to_strings(metadata));
  const LoadedModel loaded = load_model(path_, WeightsChoice::kAuto, {});
  EXPECT_EQ(to_strings(loaded.metadata()), to_strings(metadata));
  EXPECT_EQ(loaded.metadata().preprocessing.mean, metadata.preprocessing.mean);
  EXPECT_THAT(loaded.description.unsaid, IsEmpty());
  EXPECT_TRUE(loaded.is_ema);
  EXPECT_EQ(loaded.class_name(1), "Straße, \"elm\"");
  EXPECT_EQ(loaded.class_name(3), "3");
}

TEST_F(ModelFile, ACheckpointSaysItAllAndOverridesComeAfterIt) {
  Checkpoint checkpoint;
  checkpoint.tensors = tensors_of("rcvit_xs", "model.");
  checkpoint.info.config_yaml =
      "model: {name: rcvit_xs, image_size: 64}\nbatch: {shards: 8}\nlaunch: {expect_ranks: 8}";
  checkpoint.info.normalization_mean = "0.1,0.2,0.3";
  checkpoint.info.normalization_std = "0.4,0.5,0.6";
  checkpoint.info.classes = {"ash", "elm", "oak"};
  write_checkpoint(path_, checkpoint);
  const ModelDescription description = describe_model(path_, {{"model.image_size", "80"}});
  EXPECT_EQ(description.config.model.image_size, 80);
  EXPECT_EQ(description.config.launch.expect_ranks, 0);
  EXPECT_THAT(*description.config.data.std, ElementsAre(0.4, 0.5, 0.6));
  EXPECT_THAT(description.info.classes, ElementsAre("ash", "elm", "oak"));
  EXPECT_FALSE(load_model(path_, WeightsChoice::kAuto, {}).is_ema);
}

TEST_F(ModelFile, OtherTensorsAndBrokenWordsAreTheFilesFault) {
  write_safetensors(path_, {{"conv.weight", at::zeros({2})}}, {});
  EXPECT_THAT(message_of<CheckpointError>([&] { describe_model(path_, {}); }),
              HasSubstr("rcvit_xs"));
  std::vector<NamedTensor> headless = tensors_of("rcvit_xs", "");
  std::erase_if(headless, [](const NamedTensor& entry) { return entry.name.starts_with("head."); });
  write_safetensors(path_, headless, {});
  EXPECT_THAT(message_of<CheckpointError>([&] { describe_model(path_, {}); }),
              HasSubstr("missing: head.bias, head.weight"));
  for (const char* words : {"", "[]", R"({"mean": [1, 2]})", R"({"mean": "a"})"}) {
    plain("rcvit_xs", {{"preprocessing", words}});
    EXPECT_THAT(message_of<CheckpointError>([&] { describe_model(path_, {}); }),
                HasSubstr("preprocessing"))
        << words;
  }
  ModelMetadata metadata;
  metadata.preprocessing = {{}, {1, 1, 1}, -5, 0.9, "bicubic", false};
  plain("rcvit_xs", to_strings(metadata));
  EXPECT_THAT(message_of<CheckpointError>([&] { describe_model(path_, {}); }),
              HasSubstr("image_size"));
}

}  // namespace
}  // namespace casvit::trainer
