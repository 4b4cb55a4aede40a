#include "trainer/report/short_name.h"

#include "trainer/report/text.h"

namespace casvit::trainer {

std::string short_name(const std::string& name, std::size_t longest) {
  std::string clean = sanitize_utf8(name);
  if (static_cast<std::size_t>(code_points(clean)) <= longest) return clean;
  std::string out;
  std::size_t points = 0;
  for (const char c : clean) {
    if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U && ++points == longest) break;
    out += c;
  }
  return out + "\u2026";
}

}  // namespace casvit::trainer
