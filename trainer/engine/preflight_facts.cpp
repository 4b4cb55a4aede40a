#include "trainer/engine/preflight_facts.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>

#include "dataio/container/dataset.h"
#include "launch/preflight/binary_hash.h"
#include "trainer/checkpoint/run_checkpoints.h"
#include "trainer/engine/compute.h"
#include "trainer/engine/options_from_config.h"

#ifdef CASVIT_WITH_CUDA
#include "launch/nccl/device.h"
#endif

// Between ranks facts travel as JSON, member by member. The library finds these functions in the
// namespaces of their types, and not where those are unnamed.

namespace casvit::launch {

static void to_json(nlohmann::json& json, const MemoryRoom& room) {
  json = {room.total_bytes, room.free_bytes, room.limited};
}
static void from_json(const nlohmann::json& json, MemoryRoom& room) {
  json.at(0).get_to(room.total_bytes);
  json.at(1).get_to(room.free_bytes);
  json.at(2).get_to(room.limited);
}

static void to_json(nlohmann::json& json, const DiskRoom& room) {
  json = {room.folder, room.existing, room.writable, nullptr};
  if (room.free_bytes) json[3] = *room.free_bytes;
}
static void from_json(const nlohmann::json& json, DiskRoom& room) {
  json.at(0).get_to(room.folder);
  json.at(1).get_to(room.existing);
  json.at(2).get_to(room.writable);
  if (!json.at(3).is_null()) room.free_bytes = json.at(3).get<std::uint64_t>();
}

}  // namespace casvit::launch

namespace casvit::trainer {
namespace fs = std::filesystem;

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(GpuFacts, name, uuid, total_bytes, free_bytes)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DataFacts, hash, samples, classes, class_hash, problem,
                                   bytes_to_stage)

template <typename T>
void put_optional(nlohmann::json& json, const char* name, const std::optional<T>& value) {
  if (value) json[name] = *value;
}
template <typename T>
void get_optional(const nlohmann::json& json, const char* name, std::optional<T>& value) {
  if (json.contains(name)) value = json.at(name).get<T>();
}

static void to_json(nlohmann::json& json, const RankFacts& facts) {
  json = {{"rank", facts.rank},
          {"local_rank", facts.local_rank},
          {"host", facts.host},
          {"cores", facts.cores},
          {"machine_cores", facts.machine_cores},
          {"compute_threads", facts.compute_threads},
          {"loader_threads", facts.loader_threads},
          {"has_private_cores", facts.has_private_cores},
          {"binary", facts.binary},
          {"configuration", facts.configuration},
          {"memory", facts.memory},
          {"checkpoints", facts.checkpoints},
          {"train", facts.train},
          {"device", facts.device},
          {"device_problem", facts.device_problem}};
  put_optional(json, "stage_to", facts.stage_to);
  put_optional(json, "val", facts.val);
  put_optional(json, "gpu", facts.gpu);
}

static void from_json(const nlohmann::json& json, RankFacts& facts) {
  json.at("rank").get_to(facts.rank);
  json.at("local_rank").get_to(facts.local_rank);
  json.at("host").get_to(facts.host);
  json.at("cores").get_to(facts.cores);
  json.at("machine_cores").get_to(facts.machine_cores);
  json.at("compute_threads").get_to(facts.compute_threads);
  json.at("loader_threads").get_to(facts.loader_threads);
  json.at("has_private_cores").get_to(facts.has_private_cores);
  json.at("binary").get_to(facts.binary);
  json.at("configuration").get_to(facts.configuration);
  json.at("memory").get_to(facts.memory);
  json.at("checkpoints").get_to(facts.checkpoints);
  json.at("train").get_to(facts.train);
  json.at("device").get_to(facts.device);
  json.at("device_problem").get_to(facts.device_problem);
  get_optional(json, "stage_to", facts.stage_to);
  get_optional(json, "val", facts.val);
  get_optional(json, "gpu", facts.gpu);
}

namespace {

/// Whether a copy of the file's name and size lies in one of the folders that staging makes.
bool is_staged(const fs::path& source, std::uintmax_t bytes, const std::string& folder) {
  std::error_code ignored;  // what cannot be looked at is not there
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const fs::path copy = entry.path() / source.filename();
    if (entry.path().filename().string().starts_with("casvit-") &&
        fs::file_size(copy, ignored) == bytes) {
      return true;
    }
  }
  return false;
}

std::uint64_t bytes_to_stage(const std::vector<std::string>& files, const std::string& folder) {
  if (folder.empty()) return 0;
  std::uint64_t sum = 0;
  for (const std::string& file : files) {
    const std::uintmax_t bytes = fs::file_size(file);
    if (!is_staged(file, bytes, folder)) sum += bytes;
  }
  return sum;
}

DataFacts look_at_data(const std::vector<std::string>& files, const Config& config) {
  DataFacts facts;
  try {
    const dataio::Dataset data(files, dataset_options_of(config));
    facts.hash = data.content_hash();
    facts.samples = data.size();
    facts.classes = data.num_classes();
    std::string names;
    for (const std::string& name : data.class_names()) (names += name) += '\0';
    facts.class_hash = launch::hash_of(names);
    facts.bytes_to_stage = bytes_to_stage(data.files(), config.data.stage_to);
  } catch (const std::exception& error) {  // told as what it is: a finding
    facts.problem = error.what();
  }
  return facts;
}

void look_at_device(const Config& config, int local_rank, RankFacts& facts) {
  try {
    const Compute compute = choose_compute(config.device, config.precision.amp, local_rank);
    facts.device = compute.describe();
#ifdef CASVIT_WITH_CUDA
    if (compute.device.is_cuda()) {
      const launch::DeviceFacts device = launch::describe_device(compute.device.index());
      facts.gpu = GpuFacts{device.name, device.uuid, device.total_bytes, device.free_bytes};
    }
#endif
  } catch (const std::exception& error) {
    facts.device_problem = error.what();
  }
}

}  // namespace

std::vector<std::vector<const RankFacts*>> by_host(const std::vector<RankFacts>& ranks) {
  std::vector<std::vector<const RankFacts*>> hosts;
  for (const RankFacts& rank : ranks) {
    const auto same = std::ranges::find_if(
        hosts, [&](const auto& host) { return host.front()->host == rank.host; });
    if (same == hosts.end()) {
      hosts.push_back({&rank});
    } else {
      same->push_back(&rank);
    }
  }
  return hosts;
}

std::vector<int> numbers_of(const std::vector<const RankFacts*>& ranks) {
  std::vector<int> numbers;
  numbers.reserve(ranks.size());
  for (const RankFacts* rank : ranks) numbers.push_back(rank->rank);
  return numbers;
}

RankFacts look_around(const Config& config, const std::string& run_folder,
                      const launch::World& world) {
  const launch::ThreadPlan threads = world.plan_threads(threads_wanted(config));
  RankFacts facts;
  facts.rank = world.rank();
  facts.local_rank = world.local_rank();
  facts.host = world.host();
  facts.cores = launch::usable_cores();
  facts.machine_cores = static_cast<int>(std::thread::hardware_concurrency());
  facts.compute_threads = threads.compute;
  facts.loader_threads = loader_threads_of(config, threads.loader);
  facts.has_private_cores = world.has_private_cores();
  facts.binary = launch::binary_hash();
  facts.configuration = to_yaml(config);
  facts.memory = launch::memory_room();
  facts.checkpoints = launch::disk_room(checkpoint_folder(run_folder));
  if (!config.data.stage_to.empty()) facts.stage_to = launch::disk_room(config.data.stage_to);
  if (config.data.train.empty()) {
    facts.train.problem =
        "data.train is empty; name the .h5 file that casvit-pack wrote, e.g. --set "
        "data.train=photos.train.h5";
  } else {
    facts.train = look_at_data(config.data.train, config);
  }
  if (!config.data.val.empty()) facts.val = look_at_data(config.data.val, config);
  look_at_device(config, world.local_rank(), facts);
  return facts;
}

std::vector<RankFacts> gather_facts(const RankFacts& mine, launch::Communicator& communicator) {
  // A path need not be UTF-8, JSON must be.
  const std::string text = nlohmann::json(mine).dump(-1, ' ', /*ensure_ascii=*/false,
                                                     nlohmann::json::error_handler_t::replace);
  std::vector<RankFacts> all;
  all.reserve(static_cast<std::size_t>(communicator.size()));
  for (const std::string& part :
       launch::all_gather_strings(communicator, text, "what each rank found")) {
    all.push_back(nlohmann::json::parse(part).get<RankFacts>());
  }
  return all;
}

}  // namespace casvit::trainer
