#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trainer/config/config.h"
#include "trainer/engine/run_inputs.h"
#include "trainer/engine/run_state.h"
#include "trainer/report/metrics.h"
#include "trainer/report/png.h"
#include "trainer/report/report.h"
#include "trainer/telemetry/event_log.h"
#include "trainer/telemetry/hparams.h"
#include "trainer/telemetry/metrics_server.h"
#include "trainer/telemetry/run_gauges.h"

namespace casvit::trainer {

/// What others watch a run with while it trains: event files for TensorBoard (report.tensorboard)
/// and /metrics for Prometheus (report.prometheus_port). Rank 0 only, beside MetricsLog, whose
/// lines it gets too. Every call is of the thread that trains, and may throw OutputError.
class RunTelemetry {
 public:
  struct Place {
    std::string run_folder;
    std::string host;
    int ranks = 1;
    double began = 0;  ///< when the process started, seconds since 1970
  };
  /// @param inputs must outlive this. @param say prints a line
  /// @throws ConfigError where nobody can listen at report.prometheus_address and _port
  RunTelemetry(const Config& config, const RunInputs& inputs, const RunState& state, Place place,
               std::function<void(const std::string&)> say);

  /// @param images of all ranks
  void note(const StepMetrics& metrics, std::int64_t images, const RunState& state);
  void note(const PauseMetrics& metrics);
  /// The end of an epoch: its figures, how weights and gradients are spread and, up to ten times in
  /// a run, pictures. @param evaluations after it, model then EMA; empty: there was none
  void note(const EpochMetrics& metrics, const RunState& state,
            const std::vector<Evaluation>& evaluations);
  /// Before a checkpoint: what it follows from is not lost to a kill any more.
  void flush();
  /// The run is finished.
  void finish();
  /// The exception being handled ends the process: says so to TensorBoard where no retry would
  /// help, and closes the port. Throws nothing and waits for nobody.
  void give_up() noexcept;

 private:
  void open_events();
  void listen();
  void draw(std::int64_t step, int epoch, const Evaluation& evaluation);

  const Config config_;
  const RunInputs& inputs_;
  Place place_;
  std::function<void(const std::string&)> say_;
  ReportInput about_;      ///< class names, thumbnails, configuration
  std::int64_t step_ = 0;  ///< last noted
  int drawn_in_ = 0;       ///< epochs done when pictures were drawn last
  std::optional<EventLog> events_;
  std::optional<PngRenderer> renderer_;  ///< none once it was found not to work
  std::unique_ptr<RunGauges> gauges_;
  std::unique_ptr<MetricsServer> server_;  ///< asks the gauges, and goes before them
};

}  // namespace casvit::trainer
