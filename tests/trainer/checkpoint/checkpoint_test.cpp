#include "trainer/checkpoint/checkpoint.h"

#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xxhash.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/trainer/checkpoint/example_tensors.h"
#include "tests/trainer/checkpoint/scratch_folder.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;

/// Every member differs from its default, none is a round number.
CheckpointInfo filled_info() {
  CheckpointInfo info;
  info.step = 123456789012345;
  info.epoch = 7;
  info.step_in_epoch = 11;
  info.epoch_loss_sum = 0.1 + 0.2;
  info.best_acc1 = 93.6 + 1e-14;
  info.replaced = 8;
  info.replaced_in_epoch = 3;
  info.skipped = 5;
  info.skipped_in_epoch = 2;
  info.skipped_in_row = 1;
  info.patience_acc1 = 91.25;
  info.evaluations_since_best = 4;
  info.best_epoch = 5;
  info.seconds_before = 1e-300;
  info.config_yaml = "data:\n  train: [\"a \\\"b\\\".h5\"]\n# ü\n";
  info.classes = {"Maize", "Shepherd’s Purse", ""};
  info.data_hash = "0123456789abcdef";
  info.normalization_mean = "0.485,0.456,0.406";
  info.normalization_std = "0.229,0.224,0.225";
  info.image_size = 224;
  info.eval_crop_ratio = 224.0 / 256.0;
  info.ranks = 8;
  info.threads = 3;
  info.precision = "bf16 autocast";
  info.bucket_bytes = 4194304;
  info.versions = "casvit 0.1.0, libtorch 2.11.0";
  return info;
}

void expect_equal(const CheckpointInfo& left, const CheckpointInfo& right) {
  EXPECT_EQ(left.step, right.step);
  EXPECT_EQ(left.epoch, right.epoch);
  EXPECT_EQ(left.step_in_epoch, right.step_in_epoch);
  EXPECT_EQ(left.epoch_loss_sum, right.epoch_loss_sum);
  EXPECT_EQ(left.best_acc1, right.best_acc1);
  EXPECT_EQ(left.replaced, right.replaced);
  EXPECT_EQ(left.replaced_in_epoch, right.replaced_in_epoch);
  EXPECT_EQ(left.skipped, right.skipped);
  EXPECT_EQ(left.skipped_in_epoch, right.skipped_in_epoch);
  EXPECT_EQ(left.skipped_in_row, right.skipped_in_row);
  EXPECT_EQ(left.patience_acc1, right.patience_acc1);
  EXPECT_EQ(left.evaluations_since_best, right.evaluations_since_best);
  EXPECT_EQ(left.best_epoch, right.best_epoch);
  EXPECT_EQ(left.seconds_before, right.seconds_before);
  EXPECT_EQ(left.config_yaml, right.config_yaml);
  EXPECT_EQ(left.classes, right.classes);
  EXPECT_EQ(left.data_hash, right.data_hash);
  EXPECT_EQ(left.normalization_mean, right.normalization_mean);
  EXPECT_EQ(left.normalization_std, right.normalization_std);
  EXPECT_EQ(left.image_size, right.image_size);
  EXPECT_EQ(left.eval_crop_ratio, right.eval_crop_ratio);
  EXPECT_EQ(left.ranks, right.ranks);
  EXPECT_EQ(left.threads, right.threads);
  EXPECT_EQ(left.precision, right.precision);
  EXPECT_EQ(left.bucket_bytes, right.bucket_bytes);
  EXPECT_EQ(left.versions, right.versions);
}

TEST(Checkpoint, InfoComesBackExactly) {
  const ScratchFolder folder;
  write_checkpoint(folder / "a.safetensors", {filled_info(), {{"model.w", counting({3})}}});
  expect_equal(read_checkpoint_info(folder / "a.safetensors"), filled_info());
  expect_equal(read_checkpoint(folder / "a.safetensors").info, filled_info());
}

TEST(Checkpoint, NumbersThatAreNotFiniteComeBack) {
  const ScratchFolder folder;
  CheckpointInfo info;
  info.epoch_loss_sum = std::numeric_limits<double>::quiet_NaN();
  info.best_acc1 = -std::numeric_limits<double>::infinity();
  info.seconds_before = std::numeric_limits<double>::infinity();
  write_checkpoint(folder / "a.safetensors", {info, {}});
  const CheckpointInfo back = read_checkpoint_info(folder / "a.safetensors");
  EXPECT_TRUE(std::isnan(back.epoch_loss_sum));
  EXPECT_EQ(back.best_acc1, info.best_acc1);
  EXPECT_EQ(back.seconds_before, info.seconds_before);
}

TEST(Checkpoint, TextThatIsNotUtf8DoesNotLoseTheCheckpoint) {
  const ScratchFolder folder;
  CheckpointInfo info;
  info.config_yaml = "data.train: caf\xe9.h5";
  write_checkpoint(folder / "a.safetensors", {info, {}});
  EXPECT_EQ(read_checkpoint_info(folder / "a.safetensors").config_yaml,
            "data.train: caf\xef\xbf\xbd.h5");
}

TEST(Checkpoint, TensorsComeBackWithTheirBytes) {
  const ScratchFolder folder;
  const std::vector<NamedTensor> tensors{
      {"model.conv.weight", counting({4, 3, 2, 2}).contiguous(at::MemoryFormat::ChannelsLast)},
      {"model.norm.num_batches_tracked", at::full({}, 12, at::kLong)},
      {"optimizer.exp_avg.conv.weight", counting({4, 3, 2, 2}).div(7)},
      {"scaler.none", at::zeros({0})}};
  write_checkpoint(folder / "a.safetensors", {CheckpointInfo{}, tensors});
  const TensorFile plain = read_safetensors(folder / "a.safetensors");
  const Checkpoint checkpoint = read_checkpoint(folder / "a.safetensors");
  EXPECT_TRUE(same_tensors(checkpoint.tensors, plain.tensors));
  for (const auto& [name, tensor] : tensors) {
    ASSERT_NE(plain.find(name), nullptr) << name;
    EXPECT_TRUE(same_bytes(*plain.find(name), tensor)) << name;
  }
}

// The documented metadata, read as another program would.
TEST(Checkpoint, MetadataAreAsDocumented) {
  const ScratchFolder folder;
  const at::Tensor weight = counting({5});
  write_checkpoint(folder / "a.safetensors", {filled_info(), {{"model.w", weight}}});
  const auto metadata = read_safetensors(folder / "a.safetensors").metadata;
  EXPECT_EQ(metadata.at("format"), "pt");
  EXPECT_EQ(metadata.at("casvit_format"), "1");
  const json info = json::parse(metadata.at("casvit_info"));
  EXPECT_EQ(info.size(), 26U);
  EXPECT_EQ(info.at("step"), 123456789012345);
  EXPECT_EQ(info.at("classes")[0], "Maize");
  char hash[17];
  std::snprintf(hash, sizeof hash, "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(weight.const_data_ptr(), 20)));
  EXPECT_EQ(json::parse(metadata.at("casvit_xxh3")), json({{"model.w", hash}}));
  EXPECT_EQ(metadata.at("casvit_seal").size(), 16U);
}

TEST(Checkpoint, FlippedByteInATensorIsNamed) {
  const ScratchFolder folder;
  const std::string path = folder / "a.safetensors";
  write_checkpoint(path, {CheckpointInfo{},
                          {{"model.first", counting({64})}, {"model.second", counting({64})}}});
  std::string bytes = read_bytes(path);
  bytes[bytes.size() - 100] ^= 1;  // of the second: they are in the order of their names
  write_bytes(path, bytes);
  EXPECT_THAT(message_of<CheckpointError>([&] { read_checkpoint(path); }),
              AllOf(HasSubstr(path), HasSubstr("\"model.second\"")));
  EXPECT_NO_THROW(read_checkpoint_info(path));
}

// Whatever byte changes: the file is refused, or (padding) nothing that it says has changed.
TEST(Checkpoint, NoByteCanChangeUnnoticed) {
  const ScratchFolder folder;
  const std::string path = folder / "a.safetensors";
  const Checkpoint original{filled_info(),
                            {{"model.a", counting({3})}, {"model.b", counting({3}, at::kInt)}}};
  write_checkpoint(path, original);
  const std::string bytes = read_bytes(path);
  const Checkpoint whole = read_checkpoint(path);
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), sizeof header_bytes);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const char flip : {'\x01', '\x02', '\x10', '\x20'}) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      write_bytes(path, changed);
      try {
        const Checkpoint checkpoint = read_checkpoint(path);
        EXPECT_TRUE(same_tensors(checkpoint.tensors, whole.tensors)) << "byte " << at;
        expect_equal(checkpoint.info, original.info);
        // Only padding, or the case of an escape, may say the same in other bytes.
        EXPECT_LT(at, 8 + header_bytes) << "byte " << at;
      } catch (const CheckpointError& error) {
        EXPECT_THAT(error.what(), HasSubstr(path));
      }
    }
  }
}

TEST(Checkpoint, PlainWeightsAreNoCheckpoint) {
  const ScratchFolder folder;
  const std::string path = folder / "weights.safetensors";
  write_safetensors(path, {{"head.weight", counting({2})}}, {});
  for (const auto& read : {+[](const std::string& p) { read_checkpoint(p); },
                           +[](const std::string& p) { read_checkpoint_info(p); }}) {
    EXPECT_THAT(message_of<CheckpointError>([&] { read(path); }),
                AllOf(HasSubstr(path), HasSubstr("not a whole casvit checkpoint"),
                      HasSubstr("model.init")));
  }
}

/// Writes a checkpoint whose metadata have been changed and sealed anew by a hostile hand would
/// need the seal's recipe; without it any change is refused.
TEST(Checkpoint, ChangedMetadataAreRefused) {
  const ScratchFolder folder;
  const std::string path = folder / "a.safetensors";
  write_checkpoint(path, example_checkpoint(20));
  const TensorFile file = read_safetensors(path);
  const auto refusal = [&](const std::string& key, const std::string& value) {
    auto metadata = file.metadata;
    if (value.empty()) {
      metadata.erase(key);
    } else {
      metadata[key] = value;
    }
    write_safetensors(path, file.tensors, metadata);
    return message_of<CheckpointError>([&] { read_checkpoint_info(path); });
  };
  EXPECT_THAT(refusal("casvit_format", "2"), HasSubstr("use a newer casvit_dist"));
  EXPECT_THAT(refusal("casvit_format", "one"), HasSubstr("casvit_format is \"one\""));
  EXPECT_THAT(refusal("casvit_info", "{}"), HasSubstr("header differs"));
  EXPECT_THAT(refusal("extra", "x"), HasSubstr("header differs"));
  for (const char* key : {"casvit_format", "casvit_info", "casvit_xxh3", "casvit_seal"}) {
    EXPECT_THAT(refusal(key, ""), HasSubstr(std::string("have no ") + key));
  }
}

TEST(Checkpoint, RenamedTensorIsRefused) {
  const ScratchFolder folder;
  const std::string path = folder / "a.safetensors";
  write_checkpoint(path, example_checkpoint(20));
  TensorFile file = read_safetensors(path);
  file.tensors[0].name += "x";
  write_safetensors(path, file.tensors, file.metadata);
  EXPECT_THAT(message_of<CheckpointError>([&] { read_checkpoint_info(path); }),
              HasSubstr("header differs"));
}

}  // namespace
}  // namespace casvit::trainer
