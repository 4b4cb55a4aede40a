#pragma once

#include <stdexcept>
#include <string>

namespace casvit::trainer {

/// Usage or configuration: the message names key, file and line, and what would do. Exit 2.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A checkpoint or weights file is missing, incomplete or corrupt; the message names it. Exit 3.
class CheckpointError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A checkpoint, metrics file or report could not be written; the message names it. Exit 6.
class OutputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Training diverged: the loss is not finite. Exit 4.
class DivergedError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace casvit::trainer
