#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace casvit::trainer {

/// The whole configuration of a run; every member is one key of the YAML file (`data.train` is
/// `config.data.train`). Defaults here are the product's defaults.
struct Config {
  std::string device = "auto";  ///< auto, cpu, cuda

  struct Data {
    std::vector<std::string> train;             ///< .h5 files or globs
    std::vector<std::string> val;               ///< .h5 files or globs
    std::optional<std::array<double, 3>> mean;  ///< of RGB in [0, 1]; absent: as stored in the data
    std::optional<std::array<double, 3>> std;
    std::string order = "shuffled";   ///< shuffled, balanced (every class equally often)
    int loader_threads = 0;           ///< decoding threads a rank; 0: derived from the cores
    int queue_batches = 4;            ///< batches decoded ahead
    std::string on_corrupt = "fail";  ///< fail, replace
    std::string verify = "first";     ///< first, always: which reads of a picture check its hash
    bool apply_orientation = false;   ///< turn pictures upright by their EXIF orientation
    std::string stage_to;             ///< node-local folder that files are copied to; empty: none
  } data;

  struct Model {
    std::string name = "rcvit_xs";  ///< rcvit_xs, rcvit_s, rcvit_m, rcvit_t
    int image_size = 224;           ///< pixels
    int num_classes = 0;            ///< 0: from the data
    std::string init;               ///< weights to start from (.safetensors); empty: random
    double drop_path = 0.0;         ///< largest stochastic-depth rate, linear over blocks
    std::string drop_path_schedule = "constant";  ///< constant, early, early_linear, late
    double drop_path_epochs = 0;  ///< that `early` drops in, or that `late` waits for
    bool distillation = false;    ///< second head, averaged with the first in evaluation
  } model;

  struct Batch {
    int shards = 1;       ///< shards of the global batch; ranks must divide it
    int shard_size = 64;  ///< samples a shard
  } batch;

  struct MultiScale {
    std::string rule = "off";  ///< off, pixels, published (dataio::MultiScaleRule)
    int min_size = 160;        ///< pixels
    int max_size = 320;
    int divisor = 32;  ///< sizes are multiples of it
  } multi_scale;

  struct Train {
    int epochs = 100;
    std::int64_t max_steps = 0;  ///< stop after so many steps; 0: not; never reshapes the schedule
    std::uint64_t seed = 0;
    std::vector<std::string> freeze;    ///< patterns of parameters that stay; the last that fits
    int patience = 0;                   ///< evaluations without a new best before it ends; 0: all
    double min_delta = 0;               ///< by which a best must be better, percentage points
    std::string on_nonfinite = "stop";  ///< stop, skip: a step whose loss is not finite
    int max_skipped = 10;               ///< steps in a row
  } train;

  struct Eval {
    int batch_size = 64;   ///< samples a block
    int every_epochs = 1;  ///< and always after the last
  } eval;

  struct Precision {
    std::string amp = "auto";  ///< auto (bf16 where the device computes in it), off, bf16, fp16
  } precision;

  struct Optimizer {
    std::string name = "adamw";  ///< adamw, sgd, lion
    double learning_rate = 1e-3;
    int base_batch_size = 0;                     ///< that learning_rate is for; 0: the global batch
    std::string batch_scaling = "linear";        ///< linear, sqrt: from base_batch_size on
    double weight_decay = 0.05;                  ///< on parameters with two or more dimensions only
    std::optional<double> weight_decay_end;      ///< at the end, by half a cosine; absent: constant
    double layer_decay = 1.0;                    ///< of the learning rate, from layer to layer down
    std::optional<std::array<double, 2>> betas;  ///< absent: adamw 0.9, 0.999; lion 0.9, 0.99
    double eps = 1e-8;
    double momentum = 0.9;  ///< of sgd
    bool nesterov = true;   ///< sgd
  } optimizer;

  struct Schedule {
    std::string name = "cosine";    ///< cosine, linear, step, constant; per step
    double warmup_epochs = 0;       ///< linear, may be a fraction
    std::int64_t warmup_steps = 0;  ///< the same in steps; one of the two
    double warmup_start = 0;        ///< learning rate at the first step
    double minimum = 1e-6;          ///< learning rate at the end
    double step_epochs = 30;        ///< of `step`, between falls
    double step_factor = 0.1;       ///< of `step`
  } schedule;

  struct Loss {
    std::string name = "cross_entropy";  ///< cross_entropy, bce, focal
    double label_smoothing = 0.0;
    std::string class_weights = "none";  ///< none, balanced, effective; mean 1 over samples
    double effective_beta = 0.999;       ///< of `effective`
    double focal_gamma = 2.0;
    double bce_threshold = 0;  ///< targets above become 1, others 0; 0: as they are
  } loss;

  struct Distillation {
    std::string teacher;        ///< weights of a CAS-ViT, .safetensors; empty: none
    std::string loss = "soft";  ///< soft, hard
    double alpha = 0.5;         ///< share of the teacher in the loss
    double tau = 1.0;           ///< temperature of `soft`
  } distillation;

  struct Ema {
    double decay = 0.0;   ///< 0: off
    bool warmup = false;  ///< decay at step t is min(decay, (1 + t) / (10 + t))
  } ema;

  struct Clip {
    double norm = 0.0;   ///< global L2 norm; 0: off
    double value = 0.0;  ///< of each element; 0: off
    double agc = 0.0;    ///< unit-wise norm over that of the weights; 0: off
  } clip;

  struct Mixup {  // timm.data.Mixup's names
    double mixup_alpha = 0.0;
    double cutmix_alpha = 0.0;
    std::optional<std::array<double, 2>> cutmix_minmax;
    double prob = 1.0;
    double switch_prob = 0.5;
    std::string mode = "batch";  ///< batch, pair, elem
    bool correct_lam = true;
    int off_epoch = 0;  ///< epochs with mixing; 0: all
  } mixup;

  struct Augment {
    std::array<double, 2> crop_scale{0.08, 1.0};
    std::array<double, 2> crop_ratio{3.0 / 4, 4.0 / 3};
    std::string interpolation = "bicubic";  ///< bicubic, bilinear, random (in training alone)
    double horizontal_flip = 0.5;
    double vertical_flip = 0.0;
    std::string rand_augment;  ///< timm's string, e.g. rand-m9-mstd0.5-inc1; empty: off
    bool three_augment = false;
    double brightness = 0.0;  ///< ColorJitter
    double contrast = 0.0;
    double saturation = 0.0;
    double hue = 0.0;
    int cutout_holes = 0;
    int cutout_length = 0;
    double erase_prob = 0.0;           ///< Random Erasing
    std::string erase_mode = "pixel";  ///< const, rand, pixel
    int erase_count = 1;
    std::array<double, 2> erase_area{0.02, 1.0 / 3};
    std::array<double, 2> erase_aspect{0.3, 1 / 0.3};
    double eval_crop_ratio = 224.0 / 256.0;
  } augment;

  struct Checkpoint {
    int every_epochs = 1;
    std::int64_t every_steps = 0;  ///< 0: only at epochs
    int keep = 3;                  ///< newest kept besides best and last; 0: all
  } checkpoint;

  struct Report {
    bool tensorboard = true;  ///< event files in the run folder
    int prometheus_port = 0;  ///< of /metrics; 0: none
    std::string prometheus_address = "127.0.0.1";
  } report;

  struct Parallel {
    bool reproducible = false;          ///< the same bits on 1, 2, 4, ... ranks
    bool zero = false;                  ///< shard optimizer state and EMA over ranks (ZeRO stage 1)
    double bucket_mb = 0;               ///< MB of gradients exchanged at once; 0: found by trial
    std::string transport = "float32";  ///< of gradients between ranks: float32, bfloat16
    std::string batch_norm = "per_shard";  ///< per_shard, synchronized (one shard a rank)
    std::string hierarchical = "auto";     ///< within nodes, then across them (MPI): auto, on, off
  } parallel;

  struct Launch {
    int expect_ranks = 0;  ///< refuse another number of ranks; 0: any that divides batch.shards
    int expect_hosts = 0;  ///< the same for hosts; 0: any
    int threads = 0;       ///< intra-op threads a rank; 0: derived from the cores
    double timeout_seconds =
        600;  ///< without a sign of life of a rank before the job ends (exit 5)
  } launch;
};

/// The largest learning rate: optimizer.learning_rate, scaled to the global batch where asked to.
double scaled_learning_rate(const Config& config);

/// One `--set key=value`.
struct Override {
  std::string key;
  std::string value;
};

/// Defaults, then the YAML file (none when `path` is empty), then the overrides in order. Checks
/// every type, range and combination that can be checked without data or ranks.
/// @throws ConfigError "recipe.yaml:12: unknown key optimizer.lerning_rate; did you mean
/// optimizer.learning_rate?", likewise for wrong types and impossible values, naming what would do.
Config load_config(const std::string& path, const std::vector<Override>& overrides);

/// The same from YAML text; `name` stands for the file in messages.
Config parse_config(const std::string& yaml, const std::string& name,
                    const std::vector<Override>& overrides);

/// The effective configuration as YAML: every key, with its one-line description as a comment where
/// `comments`. `parse_config(to_yaml(c))` gives `c` back exactly.
std::string to_yaml(const Config& config, bool comments = false);

/// Every key with type, default and description, for `--help` and the docs (Markdown table).
std::string config_reference();

/// Parses "key=value". @throws ConfigError
Override parse_override(const std::string& text);

/// Keys whose values differ, as "key: a -> b" lines; for resume and compare.
std::vector<std::string> differences(const Config& before, const Config& after);

}  // namespace casvit::trainer
