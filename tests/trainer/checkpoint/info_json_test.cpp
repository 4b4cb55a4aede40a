#include "trainer/checkpoint/info_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/trainer/checkpoint/scratch_folder.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

TEST(InfoJson, RefusesWhatNoWriterWrites) {
  const json good = json::parse(info_to_json(CheckpointInfo{}));
  const std::vector<std::pair<std::string, json>> wrong{
      {"step", -1},       {"step", 1.5},       {"step", "1"},     {"epoch", 2147483648LL},
      {"ranks", nullptr}, {"best_acc1", "x"},  {"classes", "a"},  {"classes", json::array({1})},
      {"config_yaml", 3}, {"versions", false}, {"threads", true}, {"image_size", json::object()}};
  for (const auto& [key, value] : wrong) {
    json changed = good;
    changed[key] = value;
    EXPECT_THAT(message_of<CheckpointError>([&] { info_from_json(changed.dump(), "a.file"); }),
                AllOf(HasSubstr("a.file"), HasSubstr("casvit_info." + key)))
        << value;
  }
}

/// What checkpoints of earlier versions lack.
const std::set<std::string> kNewer{"replaced",         "replaced_in_epoch",      "skipped",
                                   "skipped_in_epoch", "skipped_in_row",         "patience_acc1",
                                   "precision",        "evaluations_since_best", "bucket_bytes"};

TEST(InfoJson, NamesTheKeyThatIsMissing) {
  const json good = json::parse(info_to_json(CheckpointInfo{}));
  for (const auto& [key, value] : good.items()) {
    if (kNewer.contains(key)) continue;
    json changed = good;
    changed.erase(key);
    EXPECT_THAT(message_of<CheckpointError>([&] { info_from_json(changed.dump(), "a.file"); }),
                HasSubstr("has no " + key));
  }
}

TEST(InfoJson, ReadsInfoOfEarlierVersions) {
  CheckpointInfo info;
  info.replaced = info.replaced_in_epoch = info.bucket_bytes = 7;
  info.precision = "float32";
  json older = json::parse(info_to_json(info));
  for (const std::string& key : kNewer) older.erase(key);
  const CheckpointInfo read = info_from_json(older.dump(), "a.file");
  EXPECT_EQ(read.replaced, 0);
  EXPECT_EQ(read.replaced_in_epoch, 0);
  EXPECT_EQ(read.skipped, 0);
  EXPECT_EQ(read.patience_acc1, -1);
  EXPECT_EQ(read.precision, "");
  EXPECT_EQ(read.bucket_bytes, 0);
}

TEST(InfoJson, PassesOverKeysOfALaterVersion) {
  json changed = json::parse(info_to_json(CheckpointInfo{}));
  changed["step"] = 9;
  changed["added_later"] = {1, 2};
  EXPECT_EQ(info_from_json(changed.dump(), "a.file").step, 9);
}

TEST(InfoJson, RefusesWhatIsNoObject) {
  for (const char* text : {"", "[]", "{\"step\":", "3"}) {
    EXPECT_THAT(message_of<CheckpointError>([&] { info_from_json(text, "a.file"); }),
                HasSubstr("not a JSON object"));
  }
}

}  // namespace
}  // namespace casvit::trainer
