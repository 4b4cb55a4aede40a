#include "trainer/report/png.h"

#include <dlfcn.h>

#include <cmath>
#include <memory>

// The few functions used, as their headers declare them (librsvg 2.52, cairo 1.0, GLib 2.0 and
// newer, whose ABIs are stable), so that building needs no headers of theirs.

namespace casvit::trainer {
namespace {

struct RsvgHandle;
struct CairoSurface;
struct Cairo;
struct RsvgRectangle {
  double x, y, width, height;
};
struct GError {
  unsigned domain;
  int code;
  char* message;
};
using WriteFunction = int (*)(void* closure, const unsigned char* data, unsigned length);

/// A function of a loaded library. @throws DrawingError where it has none of that name
template <typename Function>
Function* loaded(void* library, const char* name) {
  void* found = ::dlsym(library, name);
  if (found == nullptr) throw DrawingError(std::string("there is no function ") + name);
  return reinterpret_cast<Function*>(found);
}

int append_to(void* closure, const unsigned char* data, unsigned length) {
  static_cast<std::string*>(closure)->append(reinterpret_cast<const char*>(data), length);
  return 0;  // CAIRO_STATUS_SUCCESS
}

}  // namespace

PngRenderer::PngRenderer()
    : rsvg_(::dlopen("librsvg-2.so.2", RTLD_NOW | RTLD_LOCAL)),
      cairo_(rsvg_ != nullptr ? ::dlopen("libcairo.so.2", RTLD_NOW | RTLD_LOCAL) : nullptr),
      gobject_(cairo_ != nullptr ? ::dlopen("libgobject-2.0.so.0", RTLD_NOW | RTLD_LOCAL)
                                 : nullptr) {
  if (gobject_ == nullptr) {
    const char* reason = ::dlerror();
    problem_ = reason != nullptr ? reason : "librsvg-2.so.2 cannot be loaded";
  }
}

/// Libraries of GLib register types for good and must never be unloaded.
PngRenderer::~PngRenderer() = default;

std::string PngRenderer::render(const std::string& svg, double scale) const {
  if (!problem_.empty()) {
    throw DrawingError("they are drawn by librsvg (Debian's and Ubuntu's librsvg2-2): " + problem_);
  }
  GError* error = nullptr;
  const auto unref = loaded<void(void*)>(gobject_, "g_object_unref");
  const std::unique_ptr<RsvgHandle, void (*)(RsvgHandle*)> handle(
      loaded<RsvgHandle*(const unsigned char*, unsigned long, GError**)>(
          rsvg_, "rsvg_handle_new_from_data")(reinterpret_cast<const unsigned char*>(svg.data()),
                                              svg.size(), &error),
      reinterpret_cast<void (*)(RsvgHandle*)>(unref));
  const auto refuse_error = [&] {
    if (error == nullptr) return;
    const std::string message = error->message;
    loaded<void(GError*)>(gobject_, "g_error_free")(error);
    throw DrawingError("librsvg: " + message);
  };
  refuse_error();

  double wide = 0;
  double high = 0;
  if (loaded<int(RsvgHandle*, double*, double*)>(rsvg_, "rsvg_handle_get_intrinsic_size_in_pixels")(
          handle.get(), &wide, &high) == 0) {
    throw DrawingError("the SVG does not say its size in pixels");
  }
  wide = std::ceil(wide * scale);
  high = std::ceil(high * scale);
  constexpr int kRgb24 = 1;  // CAIRO_FORMAT_RGB24
  const std::unique_ptr<CairoSurface, void (*)(CairoSurface*)> surface(
      loaded<CairoSurface*(int, int, int)>(cairo_, "cairo_image_surface_create")(
          kRgb24, static_cast<int>(wide), static_cast<int>(high)),
      loaded<void(CairoSurface*)>(cairo_, "cairo_surface_destroy"));
  const std::unique_ptr<Cairo, void (*)(Cairo*)> context(
      loaded<Cairo*(CairoSurface*)>(cairo_, "cairo_create")(surface.get()),
      loaded<void(Cairo*)>(cairo_, "cairo_destroy"));
  loaded<void(Cairo*, double, double, double)>(cairo_, "cairo_set_source_rgb")(context.get(), 1, 1,
                                                                               1);
  loaded<void(Cairo*)>(cairo_, "cairo_paint")(context.get());
  const RsvgRectangle viewport{0, 0, wide, high};
  loaded<int(RsvgHandle*, Cairo*, const RsvgRectangle*, GError**)>(
      rsvg_, "rsvg_handle_render_document")(handle.get(), context.get(), &viewport, &error);
  refuse_error();

  std::string png;
  const int status = loaded<int(CairoSurface*, WriteFunction, void*)>(
      cairo_, "cairo_surface_write_to_png_stream")(surface.get(), append_to, &png);
  if (status != 0) {
    throw DrawingError(std::string("cairo: ") +
                       loaded<const char*(int)>(cairo_, "cairo_status_to_string")(status));
  }
  return png;
}

}  // namespace casvit::trainer
