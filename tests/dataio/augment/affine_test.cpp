#include "dataio/augment/affine.h"

#include <gtest/gtest.h>

#include <random>

namespace casvit::dataio {
namespace {

Image random_image(int height, int width, std::mt19937& random) {
  Image image;
  image.height = height;
  image.width = width;
  image.pixels.resize(static_cast<std::size_t>(height) * image.row_bytes());
  for (std::uint8_t& level : image.pixels) level = static_cast<std::uint8_t>(random() % 256);
  return image;
}

/// A turn, a shear or a move, also by whole pixels, where nothing is interpolated.
AffineMatrix random_matrix(std::mt19937& random) {
  std::uniform_real_distribution<double> small(-0.5, 0.5);
  std::uniform_real_distribution<double> far(-6, 6);
  AffineMatrix matrix{1, 0, 0, 0, 1, 0};
  switch (random() % 6) {
    case 0:
      matrix[1] = small(random);
      break;
    case 1:
      matrix[3] = small(random);
      break;
    case 2:
      matrix[2] = far(random);
      break;
    case 3:
      matrix[5] = far(random);
      break;
    case 4:
      matrix[2] = static_cast<int>(far(random));
      break;
    default:
      for (double& value : matrix) value += small(random);
  }
  return matrix;
}

TEST(Affine, IsTheSameWithVectorsAndWithout) {
  std::mt19937 random(11);
  for (int round = 0; round < 600; ++round) {
    const int height = 1 + static_cast<int>(random() % 20);
    const int width = 1 + static_cast<int>(random() % 20);
    const Image image = random_image(height, width, random);
    const AffineMatrix matrix = random_matrix(random);
    for (const auto interpolation : {Interpolation::kBicubic, Interpolation::kBilinear}) {
      ASSERT_EQ(transform_affine(image, matrix, interpolation, {1, 2, 3}).pixels,
                transform_affine_portable(image, matrix, interpolation, {1, 2, 3}).pixels)
          << "round " << round << ", " << width << " x " << height;
    }
  }
}

}  // namespace
}  // namespace casvit::dataio
