#pragma once

#include "dataio/image/image.h"

namespace casvit::dataio {

/// Pillow's ImageOps that map every byte through a table a channel, in place and equal bit for bit.
void auto_contrast(Image& image);  ///< stretches each channel to 0..255
void equalize(Image& image);       ///< a uniform histogram of each channel
void invert(Image& image);
/// Keeps the `bits` highest bits, 0 to 8. (0 gives black, as Pillow did before it refused 0, and as
/// timm's strongest posterize expects.)
void posterize(Image& image, int bits);
/// Inverts the values from `threshold` on, 0 to 256.
void solarize(Image& image, int threshold);
/// timm's solarize_add: adds `amount` to the values below 128, at most to 255.
void solarize_add(Image& image, int amount);

}  // namespace casvit::dataio
