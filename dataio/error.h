#pragma once

#include <stdexcept>
#include <string>

namespace casvit::dataio {

/// The caller asked for something that cannot be: bad option, empty folder, unknown split. Exit 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An input file is missing, incomplete, corrupt or hostile; the message names it. Exit 3.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A file could not be written (disk full, no permission); the message names it. Exit 6.
class OutputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace casvit::dataio
