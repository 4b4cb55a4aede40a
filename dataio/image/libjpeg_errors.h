#pragma once

// jpeglib.h needs FILE and size_t before it.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <csetjmp>

/// How we hear of libjpeg's errors: it leaves by longjmp. A function that calls setjmp on `jump`
/// has only trivial locals and changes none after it; everything with a destructor lives in the
/// function's caller, which is never jumped over.
namespace casvit::dataio {

/// A progressive picture of more scans is an attack on the decoder's time: encoders write about
/// ten.
inline constexpr int kMaxJpegScans = 500;

struct JpegErrors {
  jpeg_error_mgr base;  // first: libjpeg knows only this part
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

/// Formats the message and jumps. What libjpeg calls for an error.
[[noreturn]] void leave_libjpeg(j_common_ptr info);

/// Makes `errors` hear of errors, and `on_message` of warnings. Nothing is printed.
/// @returns what goes into `err` of a codec's struct
jpeg_error_mgr* install(JpegErrors& errors, void (*on_message)(j_common_ptr info, int level));

inline constexpr const char* kCorruptJpeg = "corrupt or truncated JPEG";

/// The error that libjpeg left with.
/// @throws InputError "WHAT: libjpeg's message"; std::bad_alloc where there was no memory.
[[noreturn]] void throw_error(const JpegErrors& errors, const char* what);

/// A progress monitor that refuses pictures of too many scans. For decoders alone.
jpeg_progress_mgr limit_of_scans();

}  // namespace casvit::dataio
