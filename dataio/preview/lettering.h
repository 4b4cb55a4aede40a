#pragma once

#include <string>
#include <string_view>

#include "dataio/augment/affine.h"
#include "dataio/image/image.h"

namespace casvit::dataio {

/// UTF-8 in the letters that the bitmap font has: Latin letters lose their accents, typographic
/// dashes and quotes become plain ones, any other character is named ("<U+4E2D>") and so are bytes
/// that are no UTF-8 ("<E9>"), so that different names never look alike by omission.
std::string plain_letters(std::string_view text);

/// Width of `text` in pixels; letters are drawn `scale` times their size.
int text_width(std::string_view text, int scale);

/// Height of a line of text with the space to the next one.
int line_height(int scale);

/// `text`, cut off with "..." where it is wider than `width` pixels.
std::string fit_text(const std::string& text, int width, int scale);

/// Draws printable ASCII with its upper left corner at (x, y); what lies outside is left out.
void draw_text(Image& image, int x, int y, std::string_view text, Colour colour, int scale);

}  // namespace casvit::dataio
