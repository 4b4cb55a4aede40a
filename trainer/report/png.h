#pragma once

#include <stdexcept>
#include <string>

namespace casvit::trainer {

/// An SVG could not be drawn, or nothing that draws is there; the message says what to install.
class DrawingError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// PNGs of SVG drawings, made by librsvg (LGPL-2.1), the rasteriser that GNOME and Wikipedia use.
///
/// It is loaded when the first picture is drawn, which rank 0 alone does, instead of being linked:
/// with cairo, Pango and GLib it is fifty libraries that thousands of ranks would load at every
/// start, and that compute nodes and GPU images often lack.
class PngRenderer {
 public:
  PngRenderer();
  ~PngRenderer();
  PngRenderer(const PngRenderer&) = delete;
  PngRenderer& operator=(const PngRenderer&) = delete;

  /// The SVG, which says its size in pixels, drawn `scale` times as large on white.
  /// @throws DrawingError where the libraries are missing, or with what they complain of
  std::string render(const std::string& svg, double scale = 2) const;

 private:
  void* rsvg_ = nullptr;
  void* cairo_ = nullptr;
  void* gobject_ = nullptr;
  std::string problem_;
};

}  // namespace casvit::trainer
