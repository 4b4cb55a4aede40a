#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "trainer/import/pickle_bytes.h"
#include "trainer/import/pickle_value.h"

namespace casvit::trainer {

/// Reads pickles of protocols 0 to 5 (Python's Lib/pickletools.py) into values. Names of a fixed
/// list are known (known_globals.h); a pickle that asks for any other is refused by that name.
/// Nothing is imported, called or executed, and memory and time grow with the bytes that are read
/// and no faster.
class Unpickler {
 public:
  /// @param path for messages @param graph takes the values; both outlive this, as do the bytes
  Unpickler(std::string_view bytes, const std::string& path, PickleGraph& graph)
      : bytes_(bytes), path_(path), graph_(graph) {}

  /// Reads the next pickle, up to its end. @throws CheckpointError naming file, byte and defect
  ValueId load();
  /// Bytes read so far, from the first pickle on.
  std::size_t position() const { return bytes_.position(); }

 private:
  ValueId run();
  /// @return false where `opcode` is none of these
  bool take_number(char opcode);
  bool take_text(char opcode);
  bool take_container(char opcode);
  bool take_memo(char opcode);
  bool take_call(char opcode);

  void push(ValueId id);
  void push_value(PickleValue value);
  void push_integer(std::int64_t integer);
  void push_text(PickleValue::Kind kind, std::string_view text);
  void push_big_integer(std::string_view little_endian);
  void push_decimal(std::string_view digits, bool may_be_bool);
  void push_global(std::string_view module, std::string_view name);
  ValueId pop();
  ValueId top() const;
  std::vector<ValueId> pop_to_mark();
  void make_container(PickleValue::Kind kind, std::vector<ValueId> items);
  void add_items(PickleValue::Kind kind, const std::vector<ValueId>& items);
  void remember(std::uint64_t place);
  void recall(std::uint64_t place);

  PickleBytes bytes_;
  const std::string& path_;
  PickleGraph& graph_;
  std::vector<ValueId> stack_;
  std::vector<std::size_t> marks_;  ///< heights of the stack
  std::unordered_map<std::uint64_t, ValueId> memo_;
};

}  // namespace casvit::trainer
