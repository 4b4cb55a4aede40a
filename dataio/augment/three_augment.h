#pragma once

#include "dataio/image/image.h"
#include "dataio/random/counter_rng.h"

namespace casvit::dataio {

enum class ThreeAugmentOperation { kGrey, kSolarize, kBlur };

/// What 3-Augment does to one picture.
struct ThreeAugmentDraw {
  ThreeAugmentOperation operation = ThreeAugmentOperation::kGrey;
  double blur_radius = 0;  ///< of kBlur, pixels
};

/// One of the three, each as likely as the others; the radius of a blur in [0.1, 2).
ThreeAugmentDraw draw_three_augment(CounterRng& rng);

/// Applies a draw in place: grey, values from 128 on inverted, or a Gaussian blur. Equal bit for
/// bit to the published code of DeiT III ("Revenge of the ViT", arXiv:2204.07118, section 3) on
/// Pillow 13.0.0, given the same choice and radius.
void apply_three_augment(Image& image, const ThreeAugmentDraw& draw);

}  // namespace casvit::dataio
