#include "dataio/container/hdf5.h"

#include <filesystem>
#include <string_view>

namespace casvit::dataio {
namespace {

/// Collects the stack's descriptions from the outermost call to the cause, without repetitions.
herr_t append_description(unsigned /*depth*/, const H5E_error2_t* error, void* text) noexcept {
  auto& message = *static_cast<std::string*>(text);
  const std::string_view description = error->desc != nullptr ? error->desc : "";
  if (description.empty() || message.find(description) != std::string::npos) return 0;
  if (!message.empty()) message += ": ";
  message += description;
  return 0;
}

/// Where the system refused something its own reason says all: what the library wraps around it is
/// long, and holds addresses and the time.
std::string with_system_reason_alone(const std::string& message) {
  constexpr std::string_view kBefore = "error message = '";
  const std::size_t at = message.find(kBefore);
  if (at == std::string::npos) return message;
  const std::size_t begin = at + kBefore.size();
  return message.substr(begin, message.find('\'', begin) - begin);
}

}  // namespace

void keep_hdf5_from_exit() {
  static const herr_t kOnce = H5dont_atexit();
  static_cast<void>(kOnce);  // it fails where somebody called it before, which is as good
}

herr_t Hdf5Handle::close() {
  if (id_ < 0) return 0;
  return close_(std::exchange(id_, H5I_INVALID_HID));
}

Hdf5Silence::Hdf5Silence() {
  keep_hdf5_from_exit();
  H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Hdf5Silence::~Hdf5Silence() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }

void throw_hdf5_error(const char* call, const char* file, int line) {
  std::string message;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, &append_description, &message);
  H5Eclear2(H5E_DEFAULT);
  message = message.empty() ? "the HDF5 library gave no reason" : with_system_reason_alone(message);
  const std::string_view text = call;
  message += " (";
  message += text.substr(0, text.find('('));
  message +=
      " at " + std::filesystem::path(file).filename().string() + ":" + std::to_string(line) + ")";
  throw Hdf5Error(message);
}

}  // namespace casvit::dataio
