#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "launch/preflight/disk_room.h"
#include "launch/preflight/memory_room.h"
#include "launch/world.h"
#include "trainer/config/config.h"

namespace casvit::trainer {

/// The GPU that a rank would compute on.
struct GpuFacts {
  std::string name;  ///< "NVIDIA H100 80GB HBM3"
  std::string uuid;  ///< as nvidia-smi -L prints it
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;
};

/// What one of `data.train` and `data.val` looks like from a rank.
struct DataFacts {
  std::string hash;  ///< Dataset::content_hash
  std::uint64_t samples = 0;
  int classes = 0;
  std::string class_hash;            ///< of the class names, in order
  std::string problem;               ///< why it cannot be opened; empty where it can
  std::uint64_t bytes_to_stage = 0;  ///< of its files that data.stage_to does not hold yet
};

/// All that a rank finds where it is.
struct RankFacts {
  int rank = 0;
  int local_rank = 0;
  std::string host;
  int cores = 0;          ///< that it may run on
  int machine_cores = 0;  ///< that its host has
  int compute_threads = 0;
  int loader_threads = 0;
  bool has_private_cores = false;
  std::string binary;         ///< launch::binary_hash
  std::string configuration;  ///< to_yaml
  launch::MemoryRoom memory;
  launch::DiskRoom checkpoints;  ///< of the run folder, where rank 0 writes
  std::optional<launch::DiskRoom> stage_to;
  DataFacts train;
  std::optional<DataFacts> val;
  std::string device;  ///< "cpu, float32"
  std::optional<GpuFacts> gpu;
  std::string device_problem;  ///< why there is none as the configuration wants it
};

/// The ranks of each host, in the order of their first.
std::vector<std::vector<const RankFacts*>> by_host(const std::vector<RankFacts>& ranks);

/// Of some of them.
std::vector<int> numbers_of(const std::vector<const RankFacts*>& ranks);

/// Looks; finds problems rather than throwing them. Writes nothing. Not collective.
RankFacts look_around(const Config& config, const std::string& run_folder,
                      const launch::World& world);

/// Collective: everybody's, in rank order.
std::vector<RankFacts> gather_facts(const RankFacts& mine, launch::Communicator& communicator);

}  // namespace casvit::trainer
