#pragma once

#include <string>
#include <string_view>

namespace casvit::trainer {

/// `name` in quotes with control characters escaped and cut to a sane length, for messages.
std::string in_quotes(std::string_view name);
/// The same without the quotes.
std::string escaped(std::string_view name);

}  // namespace casvit::trainer
