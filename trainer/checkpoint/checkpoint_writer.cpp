#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/durable_file.h"
#include "trainer/checkpoint/run_checkpoints.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

namespace fs = std::filesystem;

/// A copy that shares nothing with the tensor, in the form that files hold.
at::Tensor private_copy(const at::Tensor& tensor) {
  return tensor.detach().to(tensor.options().device(at::kCPU), /*non_blocking=*/false,
                            /*copy=*/true, at::MemoryFormat::Contiguous);
}

/// Starts a thread that no signal interrupts: they belong to the thread that waits for them.
template <class Body>
std::thread start_thread(Body body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(body));
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

struct CheckpointWriter::State {
  struct Job {
    Checkpoint checkpoint;
    std::string name;
    bool is_best = false;
  };

  std::string run_folder;
  std::size_t keep = 0;
  std::vector<CheckpointFile> kept;  ///< numbered files, in the order in which they are pruned

  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Job> job;  ///< engaged until it is done
  std::exception_ptr error;
  bool stopping = false;
  std::thread thread;

  std::string path_of(const std::string& name) const {
    return (fs::path(checkpoint_folder(run_folder)) / name).string();
  }
  void run();
  void write(const Job& job);
  void prune(const std::string& name, std::int64_t step);
};

void CheckpointWriter::State::run() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [&] { return stopping || job.has_value(); });
    if (!job) return;
    lock.unlock();
    std::exception_ptr failure;
    try {
      write(*job);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    job.reset();
    error = failure;
    changed.notify_all();
  }
}

// Note: the order of names. The file is written under best or last first and gets its numbered name
// by a link, so that wherever a kill comes, the newest checkpoint of the folder (best and last
// count) is one that best.safetensors already agrees with: a run resumed from it knows the right
// best.
void CheckpointWriter::State::write(const Job& job) {
  const std::string numbered = path_of(job.name);
  const std::string last = path_of(kLastName);
  const std::string first = job.is_best ? path_of(kBestName) : last;
  write_checkpoint(first, job.checkpoint);
  if (job.is_best) replace_with_link(first, last);
  replace_with_link(first, numbered);
  sync_folder(checkpoint_folder(run_folder));
  prune(job.name, job.checkpoint.info.step);
}

void CheckpointWriter::State::prune(const std::string& name, std::int64_t step) {
  std::erase_if(kept, [&](const CheckpointFile& file) { return file.name == name; });
  std::stable_partition(kept.begin(), kept.end(),
                        [&](const CheckpointFile& file) { return file.step > step; });
  kept.push_back({name, step});
  while (keep > 0 && kept.size() > keep) {
    const std::string path = path_of(kept.front().name);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
      throw OutputError("cannot remove the old checkpoint " + path + ": " +
                        std::generic_category().message(errno));
    }
    kept.erase(kept.begin());
  }
}

CheckpointWriter::CheckpointWriter(std::string run_folder, int keep)
    : state_(std::make_unique<State>()) {
  if (keep < 0) throw std::invalid_argument("CheckpointWriter: keep is negative");
  state_->run_folder = std::move(run_folder);
  state_->keep = static_cast<std::size_t>(keep);
  const std::string folder = checkpoint_folder(state_->run_folder);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw OutputError("cannot make folder " + folder + ": " + error.message());
  remove_leftovers(folder);
  for (CheckpointFile& file : list_checkpoints(state_->run_folder, nullptr)) {
    if (is_numbered_name(file.name)) state_->kept.insert(state_->kept.begin(), std::move(file));
  }
  state_->thread = start_thread([state = state_.get()] { state->run(); });
}

CheckpointWriter::~CheckpointWriter() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  state_->thread.join();
  if (!state_->error) return;
  try {
    std::rethrow_exception(state_->error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "casvit: the last checkpoint was not saved: %s\n", error.what());
  } catch (...) {
    std::fputs("casvit: the last checkpoint was not saved\n", stderr);
  }
}

void CheckpointWriter::save(const Checkpoint& checkpoint, Kind kind, bool is_best) {
  wait();
  State::Job job;
  job.name = checkpoint_name(checkpoint.info, kind);
  job.is_best = is_best;
  job.checkpoint.info = checkpoint.info;
  job.checkpoint.tensors.reserve(checkpoint.tensors.size());
  for (const auto& [name, tensor] : checkpoint.tensors) {
    job.checkpoint.tensors.push_back({name, private_copy(tensor)});
  }
  {
    const std::lock_guard lock(state_->mutex);
    state_->job = std::move(job);
  }
  state_->changed.notify_all();
}

void CheckpointWriter::wait() {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] { return !state_->job.has_value(); });
  if (state_->error) std::rethrow_exception(std::exchange(state_->error, nullptr));
}

}  // namespace casvit::trainer
