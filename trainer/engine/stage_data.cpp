#include "trainer/engine/stage_data.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <optional>
#include <sstream>
#include <thread>

#include "dataio/container/glob_paths.h"
#include "dataio/container/stage_files.h"
#include "launch/interruption.h"
#include "trainer/report/progress.h"

namespace casvit::trainer {
namespace {

using Clock = std::chrono::steady_clock;
using Files = std::vector<dataio::StagedFile>;

constexpr std::chrono::milliseconds kBetweenLooks(100);

std::string describe(const dataio::StagedFile& file, double seconds) {
  if (file.reused) {
    return "staging: " + file.path + " is there already, checked when it was copied from " +
           file.source;
  }
  char text[64];
  std::snprintf(text, sizeof text, " (%.1f MB) in %.1f s, checked",
                static_cast<double>(file.bytes) / 1e6, seconds);
  return "staging: copied " + file.source + " to " + file.path + text;
}

/// What the ranks say together, the same on all.
struct Said {
  bool works = false;        ///< some rank still copies
  bool interrupted = false;  ///< some rank was asked to leave
};

/// Everyone looks again and again, so that no copy, however long, makes the others' wait look like
/// a rank that hangs.
Said ask_all(bool works, launch::Communicator& communicator) {
  std::array<std::int64_t, 2> said{works ? 1 : 0, launch::Interruption::requested() ? 1 : 0};
  communicator.announce("waiting for data.stage_to");
  communicator
      .all_reduce(said.data(), said.size(), launch::ElementType::kInt64, launch::ReduceOp::kMax)
      .wait();
  return {said[0] != 0, said[1] != 0};
}

/// This rank's part: copies on a thread of its own where there is something to copy.
Files copy_and_wait(const std::vector<std::string>& sources, const std::string& folder,
                    launch::World& world) {
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> total{0};
  std::atomic<bool> interrupted{false};
  std::future<Files> copy;
  if (!sources.empty()) {
    copy = std::async(std::launch::async, [&] {
      return dataio::stage_files(sources, folder, [&](std::uint64_t bytes, std::uint64_t of) {
        if (interrupted) {
          throw StagingInterrupted();
        }
        total = of;
        done = bytes;
      });
    });
  }
  Files files;
  std::optional<Progress> progress;
  while (true) {
    const bool works =
        copy.valid() && copy.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
    if (copy.valid() && !works) {
      try {
        files = copy.get();  // a failed copy ends the job from here, whatever the others do
      } catch (const StagingInterrupted&) {
        // All ranks leave together, below.
      }
    }
    const Said all = ask_all(works, world.communicator());
    if (!all.works && all.interrupted) {
      throw StagingInterrupted();
    }
    if (!all.works) {
      return files;
    }
    interrupted = all.interrupted;
    if (works && world.rank() == 0 && total > 0) {
      if (!progress) {
        progress.emplace("staging", static_cast<std::int64_t>(total));
      }
      progress->update(static_cast<std::int64_t>(done), "");
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

// What the first rank of a node tells everyone: its host, how many files are for training, how many
// there are, their paths, and a note about each; every item ends with a zero byte.

std::string tell(const launch::World& world, std::size_t training_files, const Files& files,
                 double seconds) {
  std::string text;
  const auto add = [&text](const std::string& item) { (text += item) += '\0'; };
  add(world.host());
  add(std::to_string(training_files));
  add(std::to_string(files.size()));
  for (const dataio::StagedFile& file : files) {
    add(file.path);
  }
  for (const dataio::StagedFile& file : files) {
    add((world.node_count() > 1 ? world.host() + ": " : "") + describe(file, seconds));
  }
  return text;
}

/// Takes notes from every node, and paths from one's own.
void hear(const std::string& text, const std::string& host, StagedData& staged) {
  std::istringstream items(text);
  const auto next = [&items] {
    std::string item;
    std::getline(items, item, '\0');
    return item;
  };
  const bool is_mine = next() == host;
  const std::size_t training_files = std::stoull(next());
  const std::size_t files = std::stoull(next());
  for (std::size_t i = 0; i < files; ++i) {
    const std::string path = next();
    if (is_mine) {
      (i < training_files ? staged.train : staged.val).push_back(path);
    }
  }
  for (std::size_t i = 0; i < files; ++i) {
    staged.notes.push_back(next());
  }
}

}  // namespace

StagedData stage_data(const std::vector<std::string>& train, const std::vector<std::string>& val,
                      const std::string& folder, launch::World& world) {
  if (folder.empty()) {
    return {train, val, {}};
  }
  std::vector<std::string> sources;
  std::size_t training_files = 0;
  if (world.local_rank() == 0) {
    sources = dataio::expand_globs(train);
    training_files = sources.size();
    for (const std::string& file : dataio::expand_globs(val)) {
      sources.push_back(file);
    }
  }
  const auto begun = Clock::now();
  const Files files = copy_and_wait(sources, folder, world);
  const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();

  std::string mine;
  if (world.local_rank() == 0) {
    mine = tell(world, training_files, files, seconds);
  }
  StagedData staged;
  for (const std::string& part : launch::all_gather_strings(world.communicator(), mine)) {
    if (!part.empty()) {
      hear(part, world.host(), staged);
    }
  }
  return staged;
}

}  // namespace casvit::trainer
