#include "trainer/engine/training_run.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "launch/interruption.h"
#include "trainer/engine/check_world.h"
#include "trainer/engine/evaluate.h"
#include "trainer/engine/options_from_config.h"
#include "trainer/engine/resume_check.h"
#include "trainer/engine/room_needed.h"
#include "trainer/engine/run_folder.h"
#include "trainer/engine/run_report.h"
#include "trainer/engine/versions.h"
#include "trainer/engine/weights_init.h"
#include "trainer/error.h"
#include "trainer/optim/loss.h"
#include "trainer/parallel/device_communicator.h"
#include "trainer/report/progress.h"

namespace casvit::trainer {
namespace {

template <typename... Arguments>
std::string format(const char* pattern, Arguments... arguments) {
  const int length = std::snprintf(nullptr, 0, pattern, arguments...);
  std::string text(static_cast<std::size_t>(length), '\0');
  std::snprintf(text.data(), text.size() + 1, pattern, arguments...);
  return text;
}

std::string three(const std::array<float, 3>& values) {
  return format("%.9g,%.9g,%.9g", static_cast<double>(values[0]), static_cast<double>(values[1]),
                static_cast<double>(values[2]));
}

/// Continuing from an older checkpoint beside later ones would leave two runs in one folder.
void refuse_to_fork(const std::string& folder, const std::string& checkpoint) {
  if (!holds_a_run(folder)) {
    return;
  }
  const std::optional<std::string> newest = newest_checkpoint(folder, nullptr);
  if (!newest || read_checkpoint_info(*newest).step != read_checkpoint_info(checkpoint).step) {
    throw ConfigError(folder + " already holds a run, and " + checkpoint +
                      " is not its newest checkpoint; continue that run with --resume auto, or "
                      "start from this checkpoint in another folder with --out");
  }
}

/// Beginning again where checkpoints exist that cannot be read just now would write over them.
[[noreturn]] void refuse_to_start_over(const std::string& folder,
                                       const std::vector<std::string>& problems) {
  std::string text = "none of the checkpoints in " + folder + " can be read:";
  for (const std::string& problem : problems) {
    text += "\n  " + problem;
  }
  throw CheckpointError(text + "\nrepair or remove them, or start anew with another --out");
}

std::vector<std::string> required(const std::vector<std::string>& files, const char* key) {
  if (files.empty()) {
    throw ConfigError(std::string(key) +
                      " is empty; name the .h5 file that casvit-pack wrote, e.g. --set " + key +
                      "=photos.train.h5");
  }
  return files;
}

}  // namespace

TrainingRun::TrainingRun(const Config& config, TrainOptions options, launch::World& world)
    : config_(config),
      options_(std::move(options)),
      world_(world),
      log_(world.rank() == 0),
      threads_(world.plan_threads(threads_wanted(config))),
      compute_(choose_compute(config.device, config.precision.amp, world.local_rank())),
      staged_(stage_data(required(config.data.train, "data.train"), config.data.val,
                         config.data.stage_to, world)),
      train_data_(staged_.train, dataset_options_of(config)) {
  at::set_num_threads(threads_.compute);
  plan_ = ShardPlan::make(step_table_of(config_, train_data_.size()), world_.size(), world_.rank());
  if (!config_.data.val.empty()) {
    val_data_.emplace(staged_.val, dataset_options_of(config_));
    if (val_data_->class_names() != train_data_.class_names()) {
      throw ConfigError("data.val (" + val_data_->files().front() +
                        ") has other classes than data.train (" + train_data_.files().front() +
                        "); pack both from folders with the same class names");
    }
  }
  refuse_other_data(train_data_.content_hash() + (val_data_ ? val_data_->content_hash() : ""),
                    world_);
  device_communicator_ = make_device_communicator(world_, compute_.device);

  normalization_ = normalization_of(config_, train_data_);
  cursor_.emplace(plan_.steps);
  schedule_ = schedule_of(config_, plan_.steps);
  total_steps_ = schedule_.total_steps;
  last_step_ =
      config_.train.max_steps > 0 ? std::min(config_.train.max_steps, total_steps_) : total_steps_;

  const RcvitOptions model = model_of(config_, train_data_.num_classes());
  const AdamWOptions optimizer{config_.optimizer.weight_decay, config_.optimizer.betas,
                               config_.optimizer.eps};
  state_ = std::make_unique<RunState>(model, optimizer, config_.ema.decay > 0, compute_.device);
  state_->scaler.enabled = compute_.loss_scaling();

  const std::string checkpoint = checkpoint_to_resume();
  open_folder();
  if (!checkpoint.empty()) {
    resume_from(checkpoint);
  } else {
    state_->model.initialise(config_.train.seed);
    if (!config_.model.init.empty()) {
      load_weights(config_.model.init, WeightsChoice::kAuto, state_->model.state());
    }
    if (state_->average) {
      state_->average.emplace(state_->model.state());
    }
  }
  if (is_leader()) {
    // Not before the start is known to be sound: this makes the folder a run's.
    write_text_file(options_.out + "/config.yaml", to_yaml(config_, true));
    metrics_.emplace(options_.out, state_->step);
    checkpoints_ = std::make_unique<CheckpointWriter>(options_.out, config_.checkpoint.keep);
  }
  describe_start(!checkpoint.empty());

  training_step_ = std::make_unique<TrainingStep>(*state_, tensors(), compute_, step_options());
  loader_ = std::make_unique<dataio::Loader>(
      train_data_, plan_.sequence(sample_order_of(config_, train_data_), state_->step, last_step_),
      loader_training_of(config_, normalization_, model.num_classes),
      dataio::LoaderOptions{loader_threads_of(config_, threads_.loader), config_.data.queue_batches,
                            batch_memory(compute_.device)});
}

TrainingRun::~TrainingRun() = default;

TrainingStepOptions TrainingRun::step_options() const {
  TrainingStepOptions step;
  step.shards = plan_.shards;
  step.shards_per_rank = plan_.shards_per_rank();
  step.seed = config_.train.seed;
  step.clip_norm = config_.clip.norm;
  if (config_.loss.class_weights == "balanced") {
    step.class_weights =
        at::tensor(balanced_class_weights(train_data_.class_counts())).to(compute_.device);
  }
  if (state_->average) {
    step.ema = EmaOptions{config_.ema.decay, config_.ema.warmup};
  }
  step.on_shard = [this] { watch_->feed(); };
  step.reducer.bucket_bytes = static_cast<std::int64_t>(config_.parallel.bucket_mb * 1e6);
  step.reducer.reproducible = config_.parallel.reproducible;
  step.reducer.bfloat16_transport = config_.parallel.transport == "bfloat16";
  step.reducer.scatter = config_.parallel.zero && world_.size() > 1;
  return step;
}

/// On a GPU the host waits for collectives without knowing: they are given their time first.
std::chrono::milliseconds TrainingRun::device_grace() const {
  return compute_.device.is_cpu() ? std::chrono::milliseconds(0) : timeout_of(config_);
}

std::string TrainingRun::checkpoint_to_resume() {
  std::string mine;
  if (is_leader()) {
    if (options_.resume == ResumeMode::kCheckpoint) {
      mine = options_.checkpoint;
      refuse_to_fork(options_.out, mine);
    } else if (options_.resume == ResumeMode::kAuto) {
      std::vector<std::string> warnings;
      mine = newest_checkpoint(options_.out, &warnings).value_or("");
      if (mine.empty() && !warnings.empty()) {
        refuse_to_start_over(options_.out, warnings);
      }
      for (const std::string& warning : warnings) {
        log_.line("warning: " + warning);
      }
    } else if (holds_a_run(options_.out)) {
      throw ConfigError(options_.out +
                        " already holds a run; continue it with --resume auto, or choose "
                        "another folder with --out");
    }
  }
  return launch::all_gather_strings(world_.communicator(), mine)[0];
}

void TrainingRun::open_folder() {
  if (is_leader()) {
    require_room_for_checkpoint(options_.out, checkpoint_bytes(*state_));
    make_run_folder(options_.out);
    log_.open(options_.out);
  }
}

void TrainingRun::resume_from(const std::string& path) {
  const Checkpoint checkpoint = read_checkpoint(path);
  const ResumeCheck check = check_resume(checkpoint.info, config_, train_data_.content_hash(),
                                         threads_.compute, world_.size());
  for (const std::string& note : check.notes) {
    log_.line(note);
  }
  restore(*state_, checkpoint);
  evaluation_due_ = checkpoint.info.step_in_epoch > 0 && at_epoch_end();
  if (finished()) {
    log_.line(
        format("%s is finished: %lld of %lld steps are done. To train on, raise train.epochs%s.",
               options_.out.c_str(), static_cast<long long>(state_->step),
               static_cast<long long>(last_step_),
               last_step_ < total_steps_ ? " or train.max_steps" : ""));
  }
}

void TrainingRun::describe_start(bool resumed) {
  log_.line(format(
      "%s, %lld parameters, %d classes; %s; %d rank%s x %d thread%s", config_.model.name.c_str(),
      static_cast<long long>(state_->model.state().parameter_count()),
      state_->model.options().num_classes, compute_.describe().c_str(), world_.size(),
      world_.size() == 1 ? "" : "s", threads_.compute, threads_.compute == 1 ? "" : "s"));
  if (compute_.device.is_cpu() && compute_.autocast && !cpu_has_bf16()) {
    log_.line(
        "warning: this processor has no bf16 arithmetic, and emulating it is many times slower "
        "than "
        "float32; precision.amp: auto uses bf16 only where it is fast");
  }
  log_.line("train: " + describe_data(train_data_) + "; " + describe_batches());
  if (val_data_) {
    log_.line("val: " + describe_data(*val_data_));
  }
  for (const std::string& note : staged_.notes) {
    log_.line(note);
  }
  log_.line(
      (resumed ? format("continuing %s after step %lld (epoch %lld)", options_.out.c_str(),
                        static_cast<long long>(state_->step), static_cast<long long>(epochs_done()))
               : "writing to " + options_.out));
}

std::string TrainingRun::describe_batches() const {
  const std::vector<dataio::ImageScale> scales =
      dataio::image_scales(step_table_of(config_, train_data_.size()));
  const auto batch = [&](const dataio::ImageScale& scale) {
    const std::int64_t images = plan_.shards * scale.shard_size;
    return format("%lld = %lld shards x %lld", static_cast<long long>(images),
                  static_cast<long long>(plan_.shards), static_cast<long long>(scale.shard_size));
  };
  if (config_.multi_scale.rule == "off") {
    return "batch " + batch(scales[0]) +
           format("; %lld steps an epoch", static_cast<long long>(plan_.steps.first_step(1)));
  }
  return format("%zu image sizes, from batch %s of %d pixels to batch %s of %d; %lld steps",
                scales.size(), batch(scales.front()).c_str(), scales.front().image_size,
                batch(scales.back()).c_str(), scales.back().image_size,
                static_cast<long long>(total_steps_));
}

void TrainingRun::train_to_next_stop() {
  epoch_metrics_.reset();
  is_best_ = false;
  if (evaluation_due_) {
    return;
  }
  if (at_epoch_end()) {
    epoch_started_ = Clock::now();
    epoch_step_seconds_ = 0;
    epoch_times_ = {};
    epoch_steps_ = 0;
    epoch_images_ = 0;
    state_->epoch_loss_sum = 0;
    state_->replaced_in_epoch = 0;
  }
  const std::int64_t epoch = epochs_done();
  const std::int64_t first_step = plan_.steps.first_step(epoch);
  std::int64_t stop = std::min(last_step_, plan_.steps.first_step(epoch + 1));
  if (const std::int64_t every = config_.checkpoint.every_steps; every > 0) {
    stop = std::min(stop, (state_->step / every + 1) * every);
  }
  std::optional<Progress> progress;
  if (is_leader()) {
    progress.emplace(format("epoch %d/%d", static_cast<int>(epoch) + 1, config_.train.epochs),
                     plan_.steps.steps_in_epoch(epoch));
  }
  while (state_->step < stop && !interrupted_) {
    take_step();
    if (progress) {
      const std::int64_t in_epoch = state_->step - first_step;
      const double step_seconds = epoch_step_seconds_ / static_cast<double>(epoch_steps_);
      progress->update(
          in_epoch,
          format("loss %.4f  lr %.2e  %.0f images/s  run ETA %s",
                 state_->epoch_loss_sum / static_cast<double>(in_epoch),
                 cosine_learning_rate(schedule_, state_->step - 1), epoch_images_per_second(),
                 format_duration(static_cast<double>(last_step_ - state_->step) * step_seconds)
                     .c_str()));
    }
  }
  count_replaced();
}

/// Collective: adds what every rank had to replace, and names each picture once.
void TrainingRun::count_replaced() {
  if (!replaces_corrupt()) {
    return;
  }
  const ReplacementLog::News news = replacement_log_.gather(replaced_here_, world_.communicator());
  replaced_here_.clear();
  state_->replaced += news.count;
  state_->replaced_in_epoch += news.count;
  for (const std::string& line : news.lines) {
    log_.line(line);
  }
}

void TrainingRun::take_step() {
  const auto start = Clock::now();
  const double learning_rate = cosine_learning_rate(schedule_, state_->step);
  const auto epoch = static_cast<int>(epochs_done()) + 1;
  const std::int64_t images = plan_.shards * cursor_->at(state_->step).shard_size;
  launch::Watchdog::Watch watch =
      world_.watch(format("step %lld", static_cast<long long>(state_->step) + 1), device_grace());
  watch_ = &watch;
  const StepResult result =
      training_step_->run(*loader_, learning_rate, launch::Interruption::requested());
  watch_ = nullptr;
  evaluations_.clear();  // they were of the model before this step
  interrupted_ = result.stop;
  replaced_here_.insert(replaced_here_.end(), result.replaced.begin(), result.replaced.end());
  evaluation_due_ = at_epoch_end();
  state_->epoch_loss_sum += static_cast<double>(result.loss);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  epoch_step_seconds_ += seconds;
  epoch_steps_ += 1;
  epoch_images_ += images;
  epoch_times_ += result.times;
  step_seconds_here_ += seconds;
  images_here_ += images;
  if (metrics_) {
    StepMetrics metrics;
    metrics.step = state_->step;
    metrics.epoch = epoch;
    metrics.loss = result.loss;
    metrics.lr = learning_rate;
    metrics.grad_norm = static_cast<float>(result.grad_norm);
    metrics.images_per_second = static_cast<double>(images) / seconds;
    metrics.data_seconds = result.times.data;
    metrics.comm_exposed_seconds = result.times.communication;
    metrics_->append(metrics);
  }
}

bool TrainingRun::run_evaluation(const std::string& label) {
  std::vector<const Rcvit*> models{&state_->model};
  std::optional<Rcvit> average;
  if (state_->average) {
    average.emplace(state_->average_model(tensors()));
    models.push_back(&*average);
  }
  EvaluateOptions options;
  options.transform = eval_transform_of(config_, normalization_);
  options.loader = {loader_threads_of(config_, threads_.loader), config_.data.queue_batches};
  options.block_size = config_.eval.batch_size;
  options.progress_label = label;
  launch::Watchdog::Watch watch = world_.watch(label, device_grace());
  options.stop = [&watch] {
    watch.feed();
    return launch::Interruption::requested();
  };
  std::optional<std::vector<Evaluation>> found =
      trainer::evaluate(models, *val_data_, options, compute_.device, world_.communicator());
  interrupted_ = !found;
  if (found) {
    evaluations_ = std::move(*found);
  }
  return found.has_value();
}

void TrainingRun::evaluate() {
  if (!evaluation_due_ || interrupted_) {
    return;
  }
  const auto epoch = static_cast<int>(epochs_done());
  EpochMetrics metrics;
  metrics.step = state_->step;
  metrics.epoch = epoch;
  metrics.train_loss =
      state_->epoch_loss_sum / static_cast<double>(plan_.steps.steps_in_epoch(epoch - 1));
  metrics.images_per_second = epoch_images_per_second();
  if (replaces_corrupt()) {
    metrics.replaced = static_cast<double>(state_->replaced_in_epoch);
  }
  std::string accuracies;
  if (val_data_ && (epoch % config_.eval.every_epochs == 0 || state_->step >= last_step_)) {
    if (!run_evaluation(format("evaluating epoch %d", epoch))) {
      return;
    }
    const Accuracy model = accuracy_of(evaluations_[0]);
    metrics.model_acc1 = model.acc1();
    metrics.model_acc5 = model.acc5();
    metrics.model_loss = model.loss;
    double counts = model.acc1();
    accuracies = format("  acc1 %.2f%%", model.acc1());
    if (state_->average) {
      const Accuracy ema = accuracy_of(evaluations_[1]);
      metrics.ema_acc1 = ema.acc1();
      metrics.ema_acc5 = ema.acc5();
      metrics.ema_loss = ema.loss;
      counts = ema.acc1();
      accuracies += format("  EMA acc1 %.2f%%", ema.acc1());
    }
    if (counts > state_->best_acc1) {
      state_->best_acc1 = counts;
      state_->best_epoch = epoch;
      is_best_ = true;
    }
  }
  evaluation_due_ = false;
  metrics.seconds = std::chrono::duration<double>(Clock::now() - epoch_started_).count();
  epoch_metrics_ = metrics;
  log_.line(format("epoch %d/%d  loss %.4f%s  %.0f images/s  %s", epoch, config_.train.epochs,
                   metrics.train_loss, accuracies.c_str(), metrics.images_per_second,
                   format_duration(metrics.seconds).c_str()));
  if (world_.size() > 1 && epoch_steps_ > 0) {
    log_.line("  " +
              describe_slowest(gather_times(world_.communicator(), epoch_times_), epoch_steps_));
  }
}

/// Of the steps that this process made; 0 where it made none.
double TrainingRun::epoch_images_per_second() const {
  return epoch_steps_ > 0 ? static_cast<double>(epoch_images_) / epoch_step_seconds_ : 0;
}

double TrainingRun::seconds_so_far() const {
  return state_->seconds_before + std::chrono::duration<double>(Clock::now() - started_).count();
}

void TrainingRun::save() {
  if (metrics_ && epoch_metrics_) {
    metrics_->append(*epoch_metrics_);
  }
  const bool by_epoch =
      at_epoch_end() && !interrupted_ &&
      (epochs_done() % config_.checkpoint.every_epochs == 0 || finished() || is_best_);
  const bool by_step =
      !by_epoch &&
      ((config_.checkpoint.every_steps > 0 && state_->step % config_.checkpoint.every_steps == 0) ||
       finished() || interrupted_);
  if (by_epoch || by_step) {
    Checkpoint checkpoint{checkpoint_info(), checkpoint_tensors(*state_, tensors())};
    if (checkpoints_) {
      checkpoints_->save(checkpoint,
                         by_epoch ? CheckpointWriter::Kind::kEpoch : CheckpointWriter::Kind::kStep,
                         is_best_);
    }
  }
}

CheckpointInfo TrainingRun::checkpoint_info() const {
  CheckpointInfo info;
  info.step = state_->step;
  // An epoch is done when it is evaluated; before that, all of its steps are.
  info.epoch = static_cast<int>(epochs_done()) - (evaluation_due_ ? 1 : 0);
  info.step_in_epoch = state_->step - plan_.steps.first_step(info.epoch);
  info.replaced = state_->replaced;
  info.replaced_in_epoch = info.step_in_epoch == 0 ? 0 : state_->replaced_in_epoch;
  info.epoch_loss_sum = info.step_in_epoch == 0 ? 0 : state_->epoch_loss_sum;
  info.best_acc1 = state_->best_acc1;
  info.best_epoch = state_->best_epoch;
  info.seconds_before = seconds_so_far();
  info.config_yaml = to_yaml(config_);
  info.classes = train_data_.class_names();
  info.data_hash = train_data_.content_hash();
  info.normalization_mean = three(normalization_.mean);
  info.normalization_std = three(normalization_.std);
  info.image_size = config_.model.image_size;
  info.eval_crop_ratio = config_.augment.eval_crop_ratio;
  info.ranks = world_.size();
  info.threads = threads_.compute;
  for (const auto& [name, version] : versions()) {
    info.versions.append(name).append(" ").append(version).append("\n");
  }
  return info;
}

void TrainingRun::leave() {
  loader_.reset();
  if (checkpoints_) {
    checkpoints_->wait();
  }
  world_.communicator().barrier();
  log_.line(
      format("interrupted after step %lld of %lld; everything is saved, continue with "
             "--resume auto",
             static_cast<long long>(state_->step), static_cast<long long>(last_step_)));
}

void TrainingRun::report() {
  loader_.reset();
  if (val_data_ && evaluations_.empty() && !run_evaluation("evaluating")) {
    return;
  }
  if (!is_leader()) {
    return;
  }
  checkpoints_->wait();
  if (!val_data_) {
    log_.line("no data.val, so no report; checkpoints are in " + options_.out + "/checkpoints");
    return;
  }
  RunCost cost{seconds_so_far(), 0, world_.size(), threads_.compute};
  if (images_here_ > 0) {
    cost.images_per_second = static_cast<double>(images_here_) / step_seconds_here_;
  }
  if (replaces_corrupt()) {
    cost.replaced = state_->replaced;
  }
  const std::string page = write_run_report(options_.out, config_, train_data_, *val_data_,
                                            evaluations_, compute_, cost);
  const Accuracy best = accuracy_of(evaluations_.back());
  log_.line(format("%s top-1 %.2f%%, top-5 %.2f%% on %lld validation pictures, %s in all",
                   state_->average ? "EMA" : "model", best.acc1(), best.acc5(),
                   static_cast<long long>(best.samples),
                   format_duration(seconds_so_far()).c_str()));
  log_.line("report: " + page);
}

}  // namespace casvit::trainer
