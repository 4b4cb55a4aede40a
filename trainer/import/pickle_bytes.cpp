#include "trainer/import/pickle_bytes.h"

#include "trainer/import/pickle_calls.h"

namespace casvit::trainer {

std::string_view PickleBytes::take(std::uint64_t count) {
  if (count > bytes_.size() - position_) throw PickleDefect("ends within a value");
  const std::string_view taken = bytes_.substr(position_, count);
  position_ += count;
  return taken;
}

std::string_view PickleBytes::line() {
  const std::size_t end = bytes_.find('\n', position_);
  if (end == std::string_view::npos) throw PickleDefect("ends within a line");
  const std::string_view taken = take(end - position_);
  take(1);
  return taken;
}

}  // namespace casvit::trainer
