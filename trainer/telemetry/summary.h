#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/telemetry/wire_message.h"

namespace casvit::trainer {

/// Values counted between two borders.
struct HistogramBin {
  double left = 0;
  double right = 0;
  double count = 0;
};

/// Makes the summaries of one event (tensorboard/compat/proto/summary.proto): what TensorBoard
/// shows at one step, tag by tag. Numbers are plain; nothing here knows LibTorch.
class Summary {
 public:
  /// Kept as float32, as all scalars of TensorBoard.
  Summary& scalar(std::string_view tag, double value);
  /// @param png a PNG file @throws std::invalid_argument where it is none
  Summary& image(std::string_view tag, std::string_view png);
  Summary& histogram(std::string_view tag, std::span<const HistogramBin> bins);
  /// @param markdown well-formed UTF-8
  Summary& text(std::string_view tag, std::string_view markdown);
  /// A value that is all in its metadata, for the plugin hparams. @param content of its plugin data
  Summary& hparams(std::string_view tag, const WireMessage& content);

  bool empty() const { return values_.encoded().empty(); }
  const WireMessage& message() const { return values_; }

 private:
  WireMessage values_;
};

}  // namespace casvit::trainer
