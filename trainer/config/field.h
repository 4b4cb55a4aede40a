#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "trainer/config/config.h"

namespace casvit::trainer {

/// Where in a Config a value of type T lives.
template <typename T>
using Member = T& (*)(Config&);

/// The types that a key can have. Anything new here needs its overloads in value.h.
using AnyMember =
    std::variant<Member<std::string>, Member<bool>, Member<int>, Member<std::int64_t>,
                 Member<std::uint64_t>, Member<double>, Member<std::vector<std::string>>,
                 Member<std::optional<double>>, Member<std::array<double, 2>>,
                 Member<std::optional<std::array<double, 2>>>,
                 Member<std::optional<std::array<double, 3>>>>;

/// Numbers from `low` to `high`, each end included unless it is open. Holds for every element of a
/// list of numbers.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;
  bool high_open = false;
};

/// One of these words.
struct OneOf {
  std::vector<std::string_view> words;
};

/// A text with a grammar of its own.
struct Format {
  std::string_view expectation;  ///< what would do, for messages: "timm's string, e.g. ..."
  bool (*holds)(std::string_view);
};

/// monostate: whatever the type can hold.
using Permitted = std::variant<std::monostate, Range, OneOf, Format>;

/// One key of the configuration. The table of these is the only place that knows the keys: parsing,
/// printing, `--set`, the reference and the comparison of two configurations all walk it.
struct Field {
  std::string_view key;  ///< "optimizer.learning_rate"
  AnyMember member;
  Permitted permitted;
  std::string_view description;  ///< one line
};

/// Every key, in the order in which they are printed; keys of a section stand together.
const std::vector<Field>& fields();

/// nullptr where there is no such key.
const Field* find_field(std::string_view key);

/// Whether `name` is a section, i.e. some key begins with `name.`.
bool is_section(std::string_view name);

/// The first key of a section, as an example.
std::string first_key(std::string_view section);

}  // namespace casvit::trainer
