#include "dataio/image/libjpeg_errors.h"

#include <new>
#include <string>

#include "dataio/error.h"

namespace casvit::dataio {
namespace {

JpegErrors& errors_of(j_common_ptr info) { return *reinterpret_cast<JpegErrors*>(info->err); }

void print_nothing(j_common_ptr) {}

void count_scans(j_common_ptr info) {
  const auto* decompress = reinterpret_cast<j_decompress_ptr>(info);
  if (decompress->input_scan_number <= kMaxJpegScans) return;
  JpegErrors& errors = errors_of(info);
  std::snprintf(errors.message, sizeof errors.message, "more than %d scans", kMaxJpegScans);
  std::longjmp(errors.jump, 1);
}

}  // namespace

void leave_libjpeg(j_common_ptr info) {
  JpegErrors& errors = errors_of(info);
  (*info->err->format_message)(info, errors.message);
  std::longjmp(errors.jump, 1);
}

jpeg_error_mgr* install(JpegErrors& errors, void (*on_message)(j_common_ptr info, int level)) {
  jpeg_std_error(&errors.base);
  errors.base.error_exit = leave_libjpeg;
  errors.base.emit_message = on_message;
  errors.base.output_message = print_nothing;
  errors.message[0] = '\0';
  return &errors.base;
}

void throw_error(const JpegErrors& errors, const char* what) {
  if (errors.base.msg_code == JERR_OUT_OF_MEMORY) throw std::bad_alloc();
  throw InputError(std::string(what) + ": " + errors.message);
}

jpeg_progress_mgr limit_of_scans() {
  jpeg_progress_mgr progress{};
  progress.progress_monitor = count_scans;
  return progress;
}

}  // namespace casvit::dataio
