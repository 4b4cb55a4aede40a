// Names the five likeliest classes of pictures:
//   classify_pictures runs/photos/checkpoints/best.safetensors oak.jpg elm.png
#include <cstdio>
#include <exception>

#include "trainer/engine/classifier.h"

int main(int count, char** arguments) try {
  if (count < 3) {
    std::fprintf(stderr, "usage: %s MODEL.safetensors PICTURE...\n", arguments[0]);
    return 2;
  }
  // A checkpoint or an exported file: weights, class names and preprocessing come from it.
  const casvit::trainer::Classifier classifier(arguments[1]);
  for (int i = 2; i < count; ++i) {
    std::printf("%s\n", arguments[i]);
    for (const auto& guess : classifier.classify_file(arguments[i], 5)) {
      std::printf("%8.4f  %s\n", guess.probability, guess.name.c_str());
    }
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 3;
}
