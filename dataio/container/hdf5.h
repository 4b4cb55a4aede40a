#pragma once

#include <hdf5.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace casvit::dataio {

/// A call of the HDF5 library failed; the message folds the library's error stack into one line.
/// Caught within the container folder, where the file's name is known.
class Hdf5Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Comes before any other call of the HDF5 library: without it the library closes everything once
/// more when the program exits, and a file that could not be written the first time ends the
/// program with SIGSEGV there. We close what we open, and look at what closing says.
void keep_hdf5_from_exit();

/// Owns one HDF5 identifier.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Hdf5Handle() = default;
  Hdf5Handle(hid_t id, Close close) : id_(id), close_(close) {}
  ~Hdf5Handle() { reset(); }
  Hdf5Handle(Hdf5Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    if (this != &other) {
      reset();
      id_ = std::exchange(other.id_, H5I_INVALID_HID);
      close_ = other.close_;
    }
    return *this;
  }
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;

  hid_t get() const { return id_; }
  /// Closes now, and returns what closing said. What was written must be closed so, in CASVIT_HDF5:
  /// the library keeps small things in memory until then.
  herr_t close();

 private:
  void reset() noexcept { static_cast<void>(close()); }

  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

/// While it lives, the library prints no error stacks of this thread to stderr.
class Hdf5Silence {
 public:
  Hdf5Silence();
  ~Hdf5Silence();
  Hdf5Silence(const Hdf5Silence&) = delete;
  Hdf5Silence& operator=(const Hdf5Silence&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

/// @throws Hdf5Error with the folded error stack, the call and where it stands; clears the stack.
[[noreturn]] void throw_hdf5_error(const char* call, const char* file, int line);

template <typename Result>
Result check_hdf5(Result result, const char* call, const char* file, int line) {
  if (result < 0) throw_hdf5_error(call, file, line);
  return result;
}

}  // namespace casvit::dataio

/// Every call of the HDF5 library goes through this macro: the call's result, or Hdf5Error.
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): needs the call's text, file and line
#define CASVIT_HDF5(call) ::casvit::dataio::check_hdf5((call), #call, __FILE__, __LINE__)
