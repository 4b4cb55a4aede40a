#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trainer/report/evaluation.h"
#include "trainer/report/metrics.h"

namespace casvit::trainer {

/// A small picture as a file's bytes, for the page.
struct Thumbnail {
  std::string media_type;  ///< "image/jpeg", "image/png"
  std::string bytes;       ///< empty: there is none
  std::string problem;     ///< why; shown in its place
};

/// What a network looked at in one picture: the picture and maps over it, each with a caption.
struct Heatmap {
  struct Panel {
    std::string caption;
    Thumbnail picture;
  };
  std::uint64_t sample = 0;
  std::vector<Panel> panels;
};

/// What another model said of the same pictures.
struct Opponent {
  std::string own_name;  ///< how the report's own model is called beside it
  std::string name;
  Evaluation evaluation;
};

/// One key of the configuration, values as YAML.
struct ConfigValue {
  std::string key;
  std::string value;
  std::string default_value;
};

/// How far a run had come that goes on after its report was written.
struct UnderWay {
  int epoch = 0;  ///< epochs done
  int epochs = 0;
  double seconds_left = 0;  ///< as steps and evaluations went so far; 0: not known
};

/// Everything that a report shows.
struct ReportInput {
  std::string title;  ///< e.g. "rcvit_xs on seedlings.val.h5"
  std::vector<std::string> classes;
  Evaluation model;
  std::optional<Evaluation> ema;
  std::function<std::string(std::uint64_t sample)> path;  ///< source path of a sample, any bytes
  /// A sample's picture, about `kThumbnailSide` pixels wide and high; asked for a few dozen
  /// samples. May be empty: then there are none. Must not throw for a picture that cannot be read.
  std::function<Thumbnail(std::uint64_t sample)> thumbnail = {};
  History history;                               ///< empty for `eval`
  std::vector<std::uint64_t> train_counts = {};  ///< `[classes]` pictures; empty: not known
  std::string config_yaml;                       ///< the effective configuration
  std::vector<ConfigValue> config_values = {};   ///< the same key by key, as far as known
  std::map<std::string, std::string> data;       ///< facts: files, hash, samples of train and val
  std::map<std::string, std::string> versions;   ///< casvit, libtorch, mpi, hdf5, cpu, ...
  std::map<std::string, double> cost;  ///< seconds, images_per_second, peak_memory_bytes, ranks
  std::map<std::string, double> memory = {};  ///< bytes a rank: weights, gradients, ...
  double written = 0;                         ///< now, seconds since 1970
  std::vector<Heatmap> heatmaps = {};
  std::optional<UnderWay> under_way = {};  ///< absent: the run is done
  std::optional<Opponent> against = {};    ///< to compare with
};

constexpr int kThumbnailSide = 144;

struct WrittenReport {
  std::string page;  ///< path of index.html
  std::string note;  ///< what is missing, and why; empty where nothing is
};

/// Writes report/{index.html, report.json, classification_report.txt, confusion_matrix.csv,
/// per_class.csv, calibration.csv, predictions.csv}, changed_pictures.csv and class_changes.csv
/// where there is another model to compare with, and every figure as .svg and .png below
/// `folder`, each atomically (aside, then renamed), index.html last. Figures that have nothing to
/// show are not there; PNGs are left out, with a note, where librsvg is missing. The headline and
/// per-class figures are those of the EMA weights where there are any.
/// @throws OutputError
WrittenReport write_report(const std::string& folder, const ReportInput& input);

}  // namespace casvit::trainer
