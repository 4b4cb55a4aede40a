#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/cli/commands.h"
#include "trainer/engine/bench_comm.h"
#include "trainer/engine/compute.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

constexpr const char* kExample =
    "Examples:\n"
    "  mpirun -np 2 --bind-to none casvit_dist bench comm\n"
    "  mpirun -np 8 --bind-to none casvit_dist bench comm --op reduce_scatter --type bfloat16\n"
    "  mpirun -np 2 --bind-to none casvit_dist bench comm --bytes 1000000,100000000 --json\n\n"
    "Measures one collective by size, over the communicator that training uses: MPI and shared\n"
    "memory between CPUs, NCCL between GPUs. Time is that of the slowest rank, the median over\n"
    "repeats; algorithm and bus bandwidth are those of nccl-tests (bytes over time, and that "
    "times\n"
    "2 (n - 1) / n for all_reduce, (n - 1) / n for reduce_scatter and all_gather). One repeat's\n"
    "result is checked; 'wrong' counts elements that differ, and any ends with exit 5. Processor\n"
    "time is that of all ranks, for each GB.";

struct NamedCollective {
  const char* name;
  BenchCollective collective;
};
constexpr NamedCollective kCollectives[]{{"all_reduce", BenchCollective::kAllReduce},
                                         {"reduce_scatter", BenchCollective::kReduceScatter},
                                         {"all_gather", BenchCollective::kAllGather},
                                         {"broadcast", BenchCollective::kBroadcast}};

struct NamedType {
  const char* name;
  at::ScalarType type;
};
constexpr NamedType kTypes[]{{"float32", at::kFloat},     {"float64", at::kDouble},
                             {"bfloat16", at::kBFloat16}, {"float16", at::kHalf},
                             {"int64", at::kLong},        {"uint8", at::kByte}};

template <typename Named>
std::vector<std::string> names_of(const Named& all) {
  std::vector<std::string> names;
  for (const auto& one : all) {
    names.emplace_back(one.name);
  }
  return names;
}

template <typename Named>
const auto& find(const Named& all, const std::string& name) {
  return *std::find_if(std::begin(all), std::end(all),
                       [&](const auto& one) { return one.name == name; });
}

struct Arguments {
  std::string op = "all_reduce";
  std::string type = "float32";
  std::string device = "auto";
  std::string hierarchical = "auto";
  std::vector<std::uint64_t> bytes;
  std::int64_t min_bytes = 1024;
  std::int64_t max_bytes = 64 << 20;
  int factor = 4;
  int warmup = 5;
  int repeats = 20;
  bool json = false;
};

std::vector<std::uint64_t> sizes_of(const Arguments& arguments) {
  if (!arguments.bytes.empty()) {
    return arguments.bytes;
  }
  if (arguments.min_bytes > arguments.max_bytes) {
    throw ConfigError("--min-bytes " + std::to_string(arguments.min_bytes) +
                      " is more than --max-bytes " + std::to_string(arguments.max_bytes));
  }
  std::vector<std::uint64_t> sizes;
  const auto most = static_cast<std::uint64_t>(arguments.max_bytes);
  for (auto size = static_cast<std::uint64_t>(arguments.min_bytes); size <= most;
       size *= static_cast<std::uint64_t>(arguments.factor)) {
    sizes.push_back(size);
  }
  return sizes;
}

double cpu_seconds_per_gb(const CommFigures& figures) {
  return figures.cpu_seconds / static_cast<double>(figures.bytes) * 1e9;
}

void print_json(const Arguments& arguments, const BenchCommOptions& options,
                const std::vector<CommFigures>& all, const launch::World& world) {
  nlohmann::ordered_json sizes = nlohmann::ordered_json::array();
  for (const CommFigures& figures : all) {
    sizes.push_back({{"bytes", figures.bytes},
                     {"count", figures.count},
                     {"seconds", figures.seconds},
                     {"seconds_least", figures.seconds_least},
                     {"algorithm_bytes_per_second", figures.algorithm_bytes_per_second},
                     {"bus_bytes_per_second", figures.bus_bytes_per_second},
                     {"cpu_seconds_per_gb", cpu_seconds_per_gb(figures)},
                     {"wrong", figures.wrong}});
  }
  const nlohmann::ordered_json result = {
      {"bench", "comm"},          {"op", arguments.op},
      {"type", arguments.type},   {"device", options.device.str()},
      {"ranks", world.size()},    {"nodes", world.node_count()},
      {"warmup", options.warmup}, {"repeats", options.repeats},
      {"sizes", std::move(sizes)}};
  std::printf("%s\n", result.dump().c_str());
}

void print_table(const Arguments& arguments, const BenchCommOptions& options,
                 const std::vector<CommFigures>& all, const launch::World& world) {
  std::printf("%s of %s, %d rank%s on %d node%s, %s, median of %d\n\n", arguments.op.c_str(),
              arguments.type.c_str(), world.size(), world.size() == 1 ? "" : "s",
              world.node_count(), world.node_count() == 1 ? "" : "s", options.device.str().c_str(),
              options.repeats);
  std::printf("%12s  %12s  %11s  %10s  %10s  %8s  %6s\n", "bytes", "count", "time us", "algbw GB/s",
              "busbw GB/s", "cpu s/GB", "wrong");
  for (const CommFigures& figures : all) {
    std::printf("%12llu  %12llu  %11.1f  %10.3f  %10.3f  %8.3f  %6llu\n",
                static_cast<unsigned long long>(figures.bytes),
                static_cast<unsigned long long>(figures.count), figures.seconds * 1e6,
                figures.algorithm_bytes_per_second / 1e9, figures.bus_bytes_per_second / 1e9,
                cpu_seconds_per_gb(figures), static_cast<unsigned long long>(figures.wrong));
  }
}

launch::ExitCode run(const Arguments& arguments, launch::World& world) {
  BenchCommOptions options;
  options.collective = find(kCollectives, arguments.op).collective;
  options.type = find(kTypes, arguments.type).type;
  options.bytes = sizes_of(arguments);
  options.warmup = arguments.warmup;
  options.repeats = arguments.repeats;
  options.device = choose_compute(arguments.device, "off", world.local_rank()).device;
  world.set_hierarchy(launch::hierarchy_named(arguments.hierarchical));
  // As training has it: idle compute threads must not spin on the cores that exchange.
  at::set_num_threads(world.plan_threads(0).compute);
  const std::vector<CommFigures> figures = bench_comm(options, world);
  if (world.rank() == 0) {
    (arguments.json ? print_json : print_table)(arguments, options, figures, world);
  }
  const bool good = std::all_of(figures.begin(), figures.end(),
                                [](const CommFigures& one) { return one.wrong == 0; });
  return good ? launch::ExitCode::kDone : launch::ExitCode::kCommunication;
}

}  // namespace

void add_bench_comm_command(launch::CommandLine& program, std::optional<Command>& chosen) {
  launch::CommandLine command =
      program.subcommand("comm", "Bandwidth of collectives between ranks, by size");
  command.describe_when_asked(kExample);
  const auto arguments = std::make_shared<Arguments>();
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  command.option("--op", arguments->op, "all_reduce, reduce_scatter, all_gather or broadcast")
      .one_of(names_of(kCollectives))
      .show_default();
  command.option("--type", arguments->type, "float32, float64, bfloat16, float16, int64 or uint8")
      .one_of(names_of(kTypes))
      .show_default();
  command.option("--min-bytes", arguments->min_bytes, "Smallest size")
      .range(std::int64_t{1}, kMost)
      .show_default();
  command.option("--max-bytes", arguments->max_bytes, "Sizes end here")
      .range(std::int64_t{1}, kMost)
      .show_default();
  command.option("--factor", arguments->factor, "From one size to the next")
      .range(2, 1 << 20)
      .show_default();
  command.option("--bytes", arguments->bytes, "These sizes in their place, separated by commas")
      .separated_by(',')
      .positive();
  command.option("--warmup", arguments->warmup, "Repeats before those that are timed")
      .range(0, 1 << 20)
      .show_default();
  command.option("--repeats", arguments->repeats, "Repeats that are timed, each size")
      .range(1, 1 << 20)
      .show_default();
  command.option("--device", arguments->device, "auto, cpu or cuda")
      .one_of({"auto", "cpu", "cuda"})
      .show_default();
  command
      .option("--hierarchical", arguments->hierarchical,
              "Within nodes, then across them: auto, on or off (MPI)")
      .one_of({"auto", "on", "off"})
      .show_default();
  command.flag("--json", arguments->json, "Print one line of JSON");
  command.on_given([arguments, &chosen] {
    chosen = [arguments](launch::World& world) { return run(*arguments, world); };
  });
}

}  // namespace casvit::trainer
