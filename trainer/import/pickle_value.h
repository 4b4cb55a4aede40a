#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "trainer/import/element_type.h"

namespace casvit::trainer {

/// A value of a PickleGraph: its index.
using ValueId = std::uint32_t;

struct KnownGlobal;

/// One Python value. Values refer to each other by index, so that what a pickle shares stays
/// shared, cycles are harmless, and nothing here recurses.
struct PickleValue {
  enum class Kind : std::uint8_t {
    kNone,
    kBool,        ///< integer: 0 or 1
    kInteger,     ///< integer
    kBigInteger,  ///< beyond 64 bits; text: its bytes or digits as they stood in the pickle
    kReal,        ///< real
    kText,        ///< text, UTF-8
    kBytes,       ///< text, any bytes
    kTuple,       ///< items
    kList,        ///< items
    kSet,         ///< items
    kDict,        ///< items: key, value, key, value ... in the order of insertion, keys may repeat
    kGlobal,      ///< global: a type or function
    kObject,      ///< an instance of `global`; items: arguments, then (of most) its state
    kStorage,     ///< integer: index into PickleGraph::storages
    kTensor,      ///< integer: index into PickleGraph::tensors
  };

  Kind kind = Kind::kNone;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<ValueId> items;
  const KnownGlobal* global = nullptr;
};

/// A storage as a pickle names it: the bytes are elsewhere in the file.
struct StorageReference {
  std::string key;
  ElementFormat format;
  std::uint64_t elements = 0;
};

/// A tensor as a pickle describes it, nothing compared with the storage yet. Sizes are in elements.
struct TensorReference {
  std::size_t storage = 0;  ///< index into PickleGraph::storages
  ElementFormat format;
  std::uint64_t offset = 0;
  std::vector<std::int64_t> shape;    ///< each >= 0, the product below 2^63
  std::vector<std::int64_t> strides;  ///< as many, each >= 0
};

/// The values of one or more pickles of a file. It takes a bounded number of values, items and
/// bytes of text: what a pickle can make grow without being long itself (copies of what it holds
/// already) counts against the same limits as what it brings.
class PickleGraph {
 public:
  /// Of values, and of items and bytes that calls copied.
  static constexpr std::size_t kMaxValues = 1U << 20;
  static constexpr std::size_t kMaxCopied = 1U << 24;

  const PickleValue& operator[](ValueId id) const { return values_[id]; }
  PickleValue& operator[](ValueId id) { return values_[id]; }
  std::size_t size() const { return values_.size(); }

  /// nullopt where the limit is reached.
  std::optional<ValueId> add(PickleValue value);
  /// Counts `amount` of what is about to be copied; false where that is too much.
  bool charge(std::size_t amount);

  /// The value of a text key, the last one where keys repeat; nullptr where there is none or `dict`
  /// is no dictionary.
  const PickleValue* find(const PickleValue& dict, std::string_view key) const;

  std::vector<StorageReference> storages;
  std::vector<TensorReference> tensors;
  std::unordered_map<std::string, std::size_t> storage_index;  ///< key -> index into storages

 private:
  std::deque<PickleValue> values_;
  std::size_t copied_ = 0;
};

/// What a value is, in two or three words: "a list", "an instance of argparse.Namespace".
std::string kind_of(const PickleValue& value);

}  // namespace casvit::trainer
