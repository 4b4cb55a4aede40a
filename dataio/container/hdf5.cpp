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

}  // namespace

herr_t Hdf5Handle::close() {
  if (id_ < 0) return 0;
  return close_(std::exchange(id_, H5I_INVALID_HID));
}

Hdf5Silence::Hdf5Silence() {
  H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Hdf5Silence::~Hdf5Silence() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }

void throw_hdf5_error(const char* call, const char* file, int line) {
  std::string message;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, &append_description, &message);
  H5Eclear2(H5E_DEFAULT);
  if (message.empty()) message = "the HDF5 library gave no reason";
  const std::string_view text = call;
  message += " (";
  message += text.substr(0, text.find('('));
  message +=
      " at " + std::filesystem::path(file).filename().string() + ":" + std::to_string(line) + ")";
  throw Hdf5Error(message);
}

}  // namespace casvit::dataio
