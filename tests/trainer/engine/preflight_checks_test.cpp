// What preflight makes of worlds that are made up: every failure names its ranks and hosts, and has
// the exit code that a run would have.

#include "trainer/engine/preflight_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "dataio/loader/step_table.h"
#include "trainer/engine/room_needed.h"

namespace casvit::trainer {
namespace {

using launch::Check;
using launch::ExitCode;
using launch::Verdict;
using testing::HasSubstr;

constexpr std::uint64_t kGB = 1'000'000'000;

RankFacts healthy_rank(int rank) {
  RankFacts facts;
  facts.rank = rank;
  facts.local_rank = rank % 2;
  facts.host = rank < 2 ? "node1" : "node2";
  facts.cores = facts.machine_cores = 8;
  facts.compute_threads = 4;
  facts.loader_threads = 3;
  facts.binary = "b";
  facts.configuration = to_yaml(Config{});
  facts.memory = {.total_bytes = 64 * kGB, .free_bytes = 32 * kGB, .limited = false};
  facts.checkpoints = {
      .folder = "runs/a", .existing = "/home", .writable = true, .free_bytes = 10 * kGB};
  facts.train = {.hash = "t",
                 .samples = 1000,
                 .classes = 10,
                 .class_hash = "c",
                 .problem = "",
                 .bytes_to_stage = 0};
  facts.val = DataFacts{.hash = "v",
                        .samples = 100,
                        .classes = 10,
                        .class_hash = "c",
                        .problem = "",
                        .bytes_to_stage = 0};
  facts.device = "cpu, float32";
  return facts;
}

/// Four ranks on two hosts, with nothing to find fault with.
PreflightFindings healthy() {
  PreflightFindings findings;
  findings.world = {.ranks = 4,
                    .hosts = 2,
                    .host = "node1",
                    .by_launcher = true,
                    .mpi = "Open MPI v4.1.4",
                    .orte = {}};
  for (int rank = 0; rank < 4; ++rank) findings.ranks.push_back(healthy_rank(rank));
  findings.clocks.resize(4, {.seconds = 0.001, .uncertainty_seconds = 0.002});
  findings.needs = {.parameters = 1,
                    .checkpoint_bytes = kGB / 10,
                    .checkpoints = 5,
                    .resident_bytes = kGB,
                    .problem = ""};
  return findings;
}

Check check_of(const std::string& name, const PreflightFindings& findings,
               const Config& config = {}) {
  const auto checks = preflight_checks(config, findings);
  const auto found = std::ranges::find(checks, name, &Check::name);
  return found == checks.end() ? Check{"no such check", Verdict::kOk, "", "", {}, ExitCode::kDone}
                               : *found;
}

Config four_shards() {
  Config config;
  config.batch.shards = 4;
  config.data.train = {"t.h5"};
  return config;
}

TEST(PreflightChecks, FindNoFaultWithAHealthyWorld) {
  const auto checks = preflight_checks(four_shards(), healthy());
  for (const Check& check : checks) {
    EXPECT_EQ(check.verdict, Verdict::kOk) << check.name << ": " << check.finding;
    EXPECT_EQ(check.advice, "") << check.name;
    EXPECT_FALSE(check.finding.empty()) << check.name;
  }
  EXPECT_EQ(launch::exit_code_of(checks), ExitCode::kDone);
  EXPECT_EQ(launch::verdict_of(checks), Verdict::kOk);
}

struct Fault {
  const char* name;
  const char* check;
  std::function<void(PreflightFindings&)> spoil;
  Verdict verdict;
  ExitCode code;
  std::vector<int> ranks;
  std::vector<std::string> words;
};

class PreflightFault : public testing::TestWithParam<Fault> {};

TEST_P(PreflightFault, IsFoundAndNamed) {
  const Fault& fault = GetParam();
  PreflightFindings findings = healthy();
  fault.spoil(findings);
  const Check check = check_of(fault.check, findings, four_shards());
  EXPECT_EQ(check.name, fault.check);
  EXPECT_EQ(check.verdict, fault.verdict) << check.finding;
  EXPECT_EQ(check.code, fault.code);
  EXPECT_EQ(check.ranks, fault.ranks);
  for (const std::string& word : fault.words) {
    EXPECT_THAT(check.finding + "|" + check.advice, HasSubstr(word));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Faults, PreflightFault,
    testing::Values(
        Fault{"binary",
              "binary",
              [](auto& f) { f.ranks[3].binary = "old"; },
              Verdict::kFailed,
              ExitCode::kUsage,
              {3},
              {"rank 3 on node2", "same build"}},
        Fault{"configuration",
              "configuration",
              [](auto& f) {
                Config other;
                other.train.seed = 7;
                f.ranks[1].configuration = to_yaml(other);
              },
              Verdict::kFailed,
              ExitCode::kUsage,
              {1},
              {"rank 1 on node1", "rank 1: train.seed: 0 -> 7"}},
        Fault{"missing_data",
              "data",
              [](auto& f) {
                f.ranks[2].train.problem = f.ranks[3].train.problem = "a.h5: not there";
              },
              Verdict::kFailed,
              ExitCode::kInput,
              {2, 3},
              {"ranks 2, 3 on node2: a.h5"}},
        Fault{"missing_validation",
              "data",
              [](auto& f) { f.ranks[0].val->problem = "v.h5: not there"; },
              Verdict::kFailed,
              ExitCode::kInput,
              {0},
              {"rank 0 on node1: v.h5"}},
        Fault{"other_data",
              "data",
              [](auto& f) { f.ranks[2].val->hash = "w"; },
              Verdict::kFailed,
              ExitCode::kInput,
              {2},
              {"rank 2 on node2 has other data"}},
        Fault{"other_classes",
              "data",
              [](auto& f) {
                for (RankFacts& rank : f.ranks) rank.val->class_hash = "d";
              },
              Verdict::kFailed,
              ExitCode::kUsage,
              {},
              {"other classes"}},
        Fault{"batches",
              "batches",
              [](auto& f) { f.needs.problem = "1, 2 or 4 ranks would do"; },
              Verdict::kFailed,
              ExitCode::kUsage,
              {},
              {"1, 2 or 4 ranks"}},
        Fault{"no_device",
              "device",
              [](auto& f) { f.ranks[1].device_problem = "no GPU can be used here"; },
              Verdict::kFailed,
              ExitCode::kUsage,
              {1},
              {"rank 1 on node1: no GPU"}},
        Fault{"shared_gpu",
              "device",
              [](auto& f) {
                for (RankFacts& rank : f.ranks) {
                  rank.gpu = GpuFacts{"H100", "GPU-" + std::to_string(rank.rank / 2 * 2), 1, 1};
                }
              },
              Verdict::kFailed,
              ExitCode::kUsage,
              {0, 1},
              {"ranks 0 and 1 on node1", "GPU-0"}},
        Fault{"other_device",
              "device",
              [](auto& f) { f.ranks[3].device = "cpu, bf16 autocast"; },
              Verdict::kWarning,
              ExitCode::kDone,
              {3},
              {"rank 3 on node2", "bf16"}},
        Fault{"too_many_threads",
              "cores",
              [](auto& f) { f.ranks[2].compute_threads = f.ranks[3].compute_threads = 8; },
              Verdict::kWarning,
              ExitCode::kDone,
              {2, 3},
              {"node2 has 16 compute threads in 2 ranks on 8 cores", "launch.threads"}},
        Fault{"bound_to_one_core",
              "cores",
              [](auto& f) {
                for (RankFacts& rank : f.ranks) {
                  rank.has_private_cores = true;
                  rank.cores = rank.compute_threads = 1;
                }
              },
              Verdict::kWarning,
              ExitCode::kDone,
              {0, 1},
              {"8 cores", "--bind-to none"}},
        Fault{"little_memory",
              "memory",
              [](auto& f) {
                f.ranks[2].memory = f.ranks[3].memory = {2 * kGB, kGB, true};
              },
              Verdict::kWarning,
              ExitCode::kDone,
              {2, 3},
              {"node2 has 1.0 GB left of its control group's limit", "2.0 GB"}},
        Fault{"no_room_for_one",
              "disk",
              [](auto& f) { f.ranks[0].checkpoints.free_bytes = kGB / 100; },
              Verdict::kFailed,
              ExitCode::kOutput,
              {0},
              {"rank 0 on node1", "10.0 MB", "100.0 MB"}},
        Fault{"no_room_for_all",
              "disk",
              [](auto& f) { f.ranks[0].checkpoints.free_bytes = kGB / 3; },
              Verdict::kWarning,
              ExitCode::kDone,
              {0},
              {"333.3 MB free", "5 checkpoints of 100.0 MB"}},
        Fault{"folder_not_writable",
              "disk",
              [](auto& f) { f.ranks[0].checkpoints.writable = false; },
              Verdict::kFailed,
              ExitCode::kOutput,
              {0},
              {"cannot be written to"}},
        Fault{"no_room_to_stage",
              "staging",
              [](auto& f) {
                for (RankFacts& rank : f.ranks) {
                  rank.train.bytes_to_stage = 3 * kGB;
                  rank.stage_to = launch::DiskRoom{"/scratch", "/scratch", true, 4 * kGB};
                }
                f.ranks[2].stage_to->free_bytes = 2 * kGB;
              },
              Verdict::kFailed,
              ExitCode::kOutput,
              {2},
              {"rank 2 on node2", "2.0 GB", "3.0 GB"}},
        Fault{"clock",
              "clock",
              [](auto& f) {
                f.clocks[2] = f.clocks[3] = {-90.5, 0.01};
              },
              Verdict::kWarning,
              ExitCode::kDone,
              {2, 3},
              {"ranks 2, 3 on node2", "90.5 s", "NTP"}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(PreflightChecks, WhatCannotBeMeasuredWellIsNoSkew) {
  PreflightFindings findings = healthy();
  findings.clocks[1] = {.seconds = 3, .uncertainty_seconds = 2.5};
  EXPECT_EQ(check_of("clock", findings).verdict, Verdict::kOk);
}

TEST(PreflightChecks, ADiskThatDoesNotSayIsGivenTheBenefitOfTheDoubt) {
  PreflightFindings findings = healthy();
  findings.ranks[0].checkpoints.free_bytes.reset();
  EXPECT_EQ(check_of("disk", findings).verdict, Verdict::kOk);
}

TEST(PreflightChecks, AnotherWorldThanExpectedFails) {
  Config config = four_shards();
  config.launch.expect_hosts = 3;
  const Check check = check_of("world", healthy(), config);
  EXPECT_EQ(check.verdict, Verdict::kFailed);
  EXPECT_EQ(check.code, ExitCode::kUsage);
  EXPECT_THAT(check.finding, HasSubstr("4 ranks on 2 hosts, but launch.expect_hosts is 3"));
}

TEST(PreflightChecks, TheFirstFailureDecidesTheExitCode) {
  PreflightFindings findings = healthy();
  findings.ranks[0].checkpoints.free_bytes = 0;
  EXPECT_EQ(launch::exit_code_of(preflight_checks(four_shards(), findings)), ExitCode::kOutput);
  findings.ranks[1].train.hash = "other";
  EXPECT_EQ(launch::exit_code_of(preflight_checks(four_shards(), findings)), ExitCode::kInput);
  findings.ranks[1].binary = "other";
  EXPECT_EQ(launch::exit_code_of(preflight_checks(four_shards(), findings)), ExitCode::kUsage);
}

TEST(RoomNeeded, CheckpointsAreThoseKeptTheBestAndTheOneBeingWritten) {
  const auto at_once = [](int epochs, int every_epochs, int every_steps, int keep) {
    Config config;
    config.train.epochs = epochs;
    config.checkpoint = {every_epochs, every_steps, keep};
    return checkpoints_at_once(config, dataio::StepTable({.samples = 100,
                                                          .shards = 1,
                                                          .shard_size = 10,
                                                          .image_size = 32,
                                                          .multi_scale = {},
                                                          .epochs = epochs,
                                                          .seed = 0}));
  };
  EXPECT_EQ(at_once(40, 1, 0, 3), 5);
  EXPECT_EQ(at_once(1, 1, 0, 3), 2);  // no more than are ever written
  EXPECT_EQ(at_once(40, 10, 0, 0), 5);
  EXPECT_EQ(at_once(4, 4, 5, 0), 10);  // every 5 of 40 steps, besides
}

TEST(RoomNeeded, BytesReadEasily) {
  EXPECT_EQ(bytes_text(999), "999 bytes");
  EXPECT_EQ(bytes_text(1'500), "1.5 kB");
  EXPECT_EQ(bytes_text(12'340'000'000), "12.3 GB");
}

}  // namespace
}  // namespace casvit::trainer
