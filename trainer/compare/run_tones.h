#pragma once

#include <cstddef>
#include <string>

namespace casvit::trainer {

/// The tone of a chart's series for run `index` of up to twelve: six colours that stay apart for
/// readers with any of the usual colour blindnesses (after Okabe and Ito, 2008, darkened or
/// lightened to 3:1 against the paper), then the same dashed.
std::string run_tone(std::size_t index);

/// A line in that tone, for legends and tables.
std::string run_swatch(std::size_t index);

/// CSS of the tones, for light and dark.
std::string run_tones_style();

}  // namespace casvit::trainer
