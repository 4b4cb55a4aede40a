// Official files, written here opcode by opcode, become weights that the model takes.

#include "trainer/import/import_weights.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/trainer/checkpoint/scratch_folder.h"
#include "tests/trainer/import/torch_file_writer.h"
#include "tests/trainer/model/golden_file.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/engine/weights_init.h"
#include "trainer/error.h"
#include "trainer/model/rcvit.h"

namespace casvit::trainer {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

using Tensors = std::vector<NamedTensor>;

std::string_view storage_type(at::ScalarType type) {
  switch (type) {
    case at::kDouble:
      return "DoubleStorage";
    case at::kHalf:
      return "HalfStorage";
    case at::kBFloat16:
      return "BFloat16Storage";
    case at::kLong:
      return "LongStorage";
    default:
      return "FloatStorage";
  }
}

/// The tensors of a model, filled by the golden files' hash.
Tensors filled(const RcvitOptions& options) {
  Tensors tensors;
  for (const TensorSpec& spec : rcvit_tensors(options)) {
    const bool is_counter = spec.role == TensorRole::kBatchesTracked;
    tensors.push_back({spec.name, is_counter ? at::zeros({}, at::kLong)
                                             : golden::fill(spec.name, spec.shape, at::kFloat)});
  }
  return tensors;
}

RcvitOptions smallest(int classes = 5) {
  RcvitOptions options = rcvit_options("rcvit_xs");
  options.num_classes = classes;
  return options;
}

at::Tensor& find(Tensors& tensors, const std::string& name) {
  for (NamedTensor& entry : tensors) {
    if (entry.name == name) return entry.tensor;
  }
  throw std::out_of_range(name);
}

/// A file of torch.save, put together.
class OfficialFile {
 public:
  OfficialFile() { pickle_.raw("}("); }

  OfficialFile& state_dict(const std::string& key, const Tensors& tensors,
                           const std::string& prefix = "") {
    pickle_.text(key).global("collections", "OrderedDict").raw(")R(");
    add(tensors, prefix);
    pickle_.raw("u");
    return *this;
  }
  OfficialFile& text(const std::string& key, const std::string& value) {
    pickle_.text(key).text(value);
    return *this;
  }
  void write(const std::string& path) {
    write_bytes(path, torch_zip(pickle_.raw("u").end(), storages_));
  }
  /// A state dict alone.
  static void write(const std::string& path, const Tensors& tensors) {
    OfficialFile file;
    file.add(tensors, "");
    file.write(path);
  }

 private:
  void add(const Tensors& tensors, const std::string& prefix) {
    for (const auto& [name, tensor] : tensors) {
      const std::string key = std::to_string(storages_.size());
      const at::Tensor stored = tensor.contiguous();
      pickle_.text(prefix + name)
          .tensor(storage_type(tensor.scalar_type()), key, tensor.numel(), 0, stored.sizes().vec(),
                  stored.strides().vec());
      storages_[key] = {static_cast<const char*>(stored.const_data_ptr()), stored.nbytes()};
    }
  }

  PickleWriter pickle_;
  std::map<std::string, std::string> storages_;
};

class ImportWeights : public testing::Test {
 protected:
  ImportReport import(OfficialChoice use = OfficialChoice::kAuto) {
    return import_weights({source(), output(), use});
  }
  std::string refusal(OfficialChoice use = OfficialChoice::kAuto) {
    return message_of<CheckpointError>([&] { import(use); });
  }
  TensorFile written() const { return read_safetensors(output()); }
  std::string source() const { return folder_ / "official.pth"; }
  std::string output() const { return folder_ / "imported.safetensors"; }

  ScratchFolder folder_;
};

TEST_F(ImportWeights, LogitsAreThoseOfThePublishedModel) {
  for (const golden::File& golden : golden::read_folder("trainer/model/golden")) {
    SCOPED_TRACE(golden.path);
    RcvitOptions options = rcvit_options(golden.arch);
    options.num_classes = golden.num_classes;
    OfficialFile().state_dict("model", filled(options)).write(source());
    const ImportReport report = import();
    EXPECT_EQ(report.architecture, golden.arch);
    EXPECT_EQ(report.num_classes, golden.num_classes);
    EXPECT_EQ(report.parameters, golden.n_parameters);
    EXPECT_EQ(report.tensors, golden.state_dict_keys.size());

    Rcvit model(options, at::kFloat, at::kCPU);
    load_weights(output(), WeightsChoice::kAuto, model.state());
    const at::Tensor images =
        golden::fill("input", {golden.batch, 3, golden.pixels, golden.pixels}, at::kFloat);
    const at::Tensor logits =
        model.forward(images.contiguous(at::MemoryFormat::ChannelsLast)).to(at::kDouble);
    for (std::size_t i = 0; i < golden.eval_logits.size(); ++i) {
      const at::Tensor row = at::tensor(golden.eval_logits[i], at::kDouble);
      const double bound = 1e-4 * row.abs().max().item<double>();
      EXPECT_LE((logits[static_cast<std::int64_t>(i)] - row).abs().max().item<double>(), bound);
    }
  }
}

TEST_F(ImportWeights, EverySizeIsRecognised) {
  for (const std::string& name : rcvit_names()) {
    SCOPED_TRACE(name);
    RcvitOptions options = rcvit_options(name);
    options.num_classes = 3;
    options.distillation = name == "rcvit_s";
    OfficialFile::write(source(), filled(options));
    const ImportReport report = import();
    EXPECT_EQ(report.architecture, name);
    EXPECT_EQ(report.num_classes, 3);
    EXPECT_EQ(report.distillation, options.distillation);
    EXPECT_EQ(report.key, "");
    EXPECT_FALSE(report.is_ema);
    EXPECT_EQ(written().tensors.size(), rcvit_tensors(options).size());
  }
}

TEST_F(ImportWeights, AutoTakesTheEmaAndSaysHowFarTheModelIs) {
  Tensors model = filled(smallest());
  Tensors ema = filled(smallest());
  find(ema, "network.0.1.mlp.fc1.bias")[3] += 0.5;
  find(ema, "head.bias")[0] += 0.25;
  OfficialFile()
      .state_dict("model", model)
      .state_dict("model_ema", ema, "module.")
      .text("epoch", "best-ema_224")
      .text("optimizer", "...")
      .write(source());
  const ImportReport report = import();
  EXPECT_TRUE(report.is_ema);
  EXPECT_EQ(report.key, "model_ema");
  EXPECT_THAT(report.removed_prefixes, ElementsAre("module."));
  ASSERT_TRUE(report.difference);
  EXPECT_NEAR(report.difference->largest, 0.5, 1e-6);
  EXPECT_EQ(report.difference->tensor, "network.0.1.mlp.fc1.bias");
  EXPECT_THAT(
      report.warnings,
      ElementsAre(AllOf(HasSubstr("they differ (by up to 0.5, in network.0.1.mlp.fc1.bias)"),
                        HasSubstr("took the EMA"))));
  EXPECT_THAT(report.left_out, ElementsAre("optimizer"));
  EXPECT_TRUE(at::equal(*written().find("head.bias"), find(ema, "head.bias")));
  EXPECT_THAT(written().metadata,
              AllOf(Contains(Pair("format", "pt")), Contains(Pair("source", "official.pth")),
                    Contains(Pair("weights", "ema")), Contains(Pair("architecture", "rcvit_xs")),
                    Contains(Pair("num_classes", "5")), Contains(Pair("epoch", "best-ema_224"))));

  EXPECT_THAT(import(OfficialChoice::kModel).warnings, IsEmpty());
  EXPECT_TRUE(at::equal(*written().find("head.bias"), find(model, "head.bias")));
  EXPECT_TRUE(import(OfficialChoice::kModelEma).is_ema);
}

TEST_F(ImportWeights, ChoicesThatAreNotThereAreRefused) {
  OfficialFile().state_dict("model", filled(smallest())).write(source());
  EXPECT_THAT(refusal(OfficialChoice::kModelEma),
              AllOf(HasSubstr(source()), HasSubstr("no EMA weights")));
  OfficialFile().state_dict("model_ema", filled(smallest())).write(source());
  EXPECT_THAT(refusal(OfficialChoice::kModel), HasSubstr("EMA weights only"));
}

TEST_F(ImportWeights, OtherFloatTypesBecomeFloat32) {
  Tensors tensors = filled(smallest());
  const std::vector<std::pair<std::string, at::ScalarType>> types{
      {"head.weight", at::kHalf}, {"head.bias", at::kBFloat16}, {"norm.weight", at::kDouble}};
  for (const auto& [name, type] : types) find(tensors, name) = find(tensors, name).to(type);
  OfficialFile::write(source(), tensors);
  import();
  for (const auto& [name, type] : types) {
    EXPECT_EQ(written().find(name)->scalar_type(), at::kFloat);
    EXPECT_TRUE(at::equal(*written().find(name), find(tensors, name).to(at::kFloat)));
  }
  EXPECT_EQ(written().find("norm.num_batches_tracked")->scalar_type(), at::kLong);
}

TEST_F(ImportWeights, WeightsOfAnotherTypeAreRefused) {
  Tensors tensors = filled(smallest());
  find(tensors, "head.weight") = find(tensors, "head.weight").to(at::kLong);
  OfficialFile::write(source(), tensors);
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("\"head.weight\" is of type int64"), HasSubstr("a float is due")));
}

TEST_F(ImportWeights, WhatFitsNoSizeIsListed) {
  Tensors tensors = filled(smallest());
  tensors.erase(tensors.begin());  // patch_embed.0.weight
  tensors.push_back({"head.scale", at::ones({1})});
  find(tensors, "norm.bias") = at::ones({7});
  OfficialFile::write(source(), tensors);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("the nearest is rcvit_xs"),
                               HasSubstr("missing: patch_embed.0.weight"),
                               HasSubstr("not of this model: head.scale"),
                               HasSubstr("of another shape: norm.bias [7] for [220]")));
  EXPECT_THAT(names_in(folder_.path()), ElementsAre("official.pth"));
}

TEST_F(ImportWeights, SecondHeadOfOtherClassesIsRefused) {
  RcvitOptions options = smallest();
  options.distillation = true;
  Tensors tensors = filled(options);
  find(tensors, "dist_head.weight") = at::ones({6, 220});
  OfficialFile::write(source(), tensors);
  EXPECT_THAT(refusal(), HasSubstr("dist_head.weight [6, 220] for [5, 220]"));
}

TEST_F(ImportWeights, ValuesThatAreNotFiniteAreNamed) {
  Tensors tensors = filled(smallest());
  find(tensors, "head.bias")[2] = std::numeric_limits<float>::quiet_NaN();
  find(tensors, "norm.weight")[1] = std::numeric_limits<float>::infinity();
  OfficialFile::write(source(), tensors);
  const ImportReport report = import();
  EXPECT_THAT(report.not_finite, testing::UnorderedElementsAre("head.bias", "norm.weight"));
  EXPECT_THAT(report.warnings, Contains(HasSubstr("head.bias has values that are not finite")));
}

TEST_F(ImportWeights, BackbonesOfDetectorsAreTaken) {
  RcvitOptions options = rcvit_options("rcvit_xs");
  options.features_only = true;
  Tensors tensors;
  for (const NamedTensor& entry : filled(options)) {
    tensors.push_back({"backbone." + entry.name, entry.tensor});
  }
  tensors.push_back({"neck.weight", at::ones({3})});
  OfficialFile().state_dict("state_dict", tensors).write(source());
  const ImportReport report = import();
  EXPECT_TRUE(report.features_only);
  EXPECT_EQ(report.num_classes, 0);
  EXPECT_THAT(report.left_out_tensors, ElementsAre("neck.weight"));
  Rcvit model(options, at::kFloat, at::kCPU);
  load_weights(output(), WeightsChoice::kAuto, model.state());
}

TEST_F(ImportWeights, OutputIsReplacedWholeOrNotAtAll) {
  OfficialFile::write(source(), filled(smallest()));
  write_bytes(output(), "what was there");
  import();
  EXPECT_EQ(written().tensors.size(), rcvit_tensors(smallest()).size());
  EXPECT_THROW(import_weights({source(), folder_ / "no/folder.safetensors", OfficialChoice::kAuto}),
               OutputError);
  EXPECT_THROW(import_weights({source(), source(), OfficialChoice::kAuto}), ConfigError);
  EXPECT_THROW(import_weights({folder_ / "none.pth", output(), OfficialChoice::kAuto}),
               CheckpointError);
}

}  // namespace
}  // namespace casvit::trainer
