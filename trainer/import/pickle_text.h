#pragma once

#include <string>
#include <string_view>

namespace casvit::trainer {

/// The bytes of Python's literal of a string, quotes included, as the opcode STRING has it.
/// @return false where it is none
bool unquote(std::string_view literal, std::string& bytes);

/// UTF-8 of text in Python's "raw-unicode-escape", as the opcode UNICODE has it: bytes are Latin-1,
/// \uXXXX and \UXXXXXXXX stand for code points; those that no text has become U+FFFD.
std::string unescape(std::string_view text);

/// The bytes that UTF-8 `text` has in Latin-1. @return false where it has others than those
bool latin1_of(std::string_view text, std::string& bytes);

}  // namespace casvit::trainer
