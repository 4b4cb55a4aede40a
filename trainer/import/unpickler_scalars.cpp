// The opcodes of Unpickler that bring one number or text.

#include <bit>
#include <charconv>
#include <cstring>
#include <utility>

#include "trainer/import/pickle_calls.h"
#include "trainer/import/pickle_text.h"
#include "trainer/import/unpickler.h"

namespace casvit::trainer {
namespace {

using Kind = PickleValue::Kind;

}  // namespace

bool Unpickler::take_number(char opcode) {
  PickleValue value;
  switch (opcode) {
    case 'N':
      push_value(value);
      return true;
    case '\x88':
    case '\x89':
      value.kind = Kind::kBool;
      value.integer = opcode == '\x88' ? 1 : 0;
      push_value(value);
      return true;
    case 'J':
      push_integer(bytes_.number<std::int32_t>());
      return true;
    case 'K':
      push_integer(bytes_.number<std::uint8_t>());
      return true;
    case 'M':
      push_integer(bytes_.number<std::uint16_t>());
      return true;
    case '\x8a':
      push_big_integer(bytes_.take(bytes_.number<std::uint8_t>()));
      return true;
    case '\x8b':
      push_big_integer(bytes_.take(bytes_.number<std::uint32_t>()));
      return true;
    case 'I':
      push_decimal(bytes_.line(), true);
      return true;
    case 'L': {
      std::string_view digits = bytes_.line();
      if (digits.ends_with('L')) digits.remove_suffix(1);
      push_decimal(digits, false);
      return true;
    }
    case 'F': {
      const std::string_view digits = bytes_.line();
      const char* end = digits.data() + digits.size();
      value.kind = Kind::kReal;
      const auto [last, error] = std::from_chars(digits.data(), end, value.real);
      if (error == std::errc::invalid_argument || last != end) {
        throw PickleDefect("has no number where one is due");
      }
      push_value(value);
      return true;
    }
    case 'G':  // the one number of pickles that is big-endian
      value.kind = Kind::kReal;
      value.real = std::bit_cast<double>(__builtin_bswap64(bytes_.number<std::uint64_t>()));
      push_value(value);
      return true;
    default:
      return false;
  }
}

bool Unpickler::take_text(char opcode) {
  switch (opcode) {
    case 'X':
      push_text(Kind::kText, bytes_.take(bytes_.number<std::uint32_t>()));
      return true;
    case '\x8c':
      push_text(Kind::kText, bytes_.take(bytes_.number<std::uint8_t>()));
      return true;
    case '\x8d':
      push_text(Kind::kText, bytes_.take(bytes_.number<std::uint64_t>()));
      return true;
    case 'V':
      push_text(Kind::kText, unescape(bytes_.line()));
      return true;
    case 'B':
      push_text(Kind::kBytes, bytes_.take(bytes_.number<std::uint32_t>()));
      return true;
    case 'C':
      push_text(Kind::kBytes, bytes_.take(bytes_.number<std::uint8_t>()));
      return true;
    case '\x8e':
    case '\x96':
      push_text(Kind::kBytes, bytes_.take(bytes_.number<std::uint64_t>()));
      return true;
    // Python 2's strings, which Python 3 reads as text.
    case 'T':
      push_text(Kind::kText, bytes_.take(bytes_.number<std::uint32_t>()));
      return true;
    case 'U':
      push_text(Kind::kText, bytes_.take(bytes_.number<std::uint8_t>()));
      return true;
    case 'S': {
      std::string text;
      if (!unquote(bytes_.line(), text)) throw PickleDefect("has a string without its quotes");
      push_text(Kind::kText, text);
      return true;
    }
    default:
      return false;
  }
}

void Unpickler::push_integer(std::int64_t integer) {
  PickleValue value;
  value.kind = Kind::kInteger;
  value.integer = integer;
  push_value(std::move(value));
}

void Unpickler::push_text(Kind kind, std::string_view text) {
  PickleValue value;
  value.kind = kind;
  value.text = text;
  push_value(std::move(value));
}

void Unpickler::push_big_integer(std::string_view little_endian) {
  if (little_endian.size() > sizeof(std::int64_t)) {
    push_text(Kind::kBigInteger, little_endian);
    return;
  }
  const bool is_negative =
      !little_endian.empty() && (static_cast<unsigned char>(little_endian.back()) & 0x80U) != 0;
  std::int64_t value = is_negative ? -1 : 0;
  std::memcpy(&value, little_endian.data(), little_endian.size());
  push_integer(value);
}

void Unpickler::push_decimal(std::string_view digits, bool may_be_bool) {
  PickleValue value;
  value.kind = Kind::kInteger;
  const char* end = digits.data() + digits.size();
  const auto [last, error] = std::from_chars(digits.data(), end, value.integer);
  if (last != end || error == std::errc::invalid_argument) {
    throw PickleDefect("has no number where one is due");
  }
  if (error == std::errc::result_out_of_range) {
    value.kind = Kind::kBigInteger;
    value.text = digits;
  } else if (may_be_bool && (digits == "00" || digits == "01")) {
    value.kind = Kind::kBool;
  }
  push_value(std::move(value));
}

}  // namespace casvit::trainer
