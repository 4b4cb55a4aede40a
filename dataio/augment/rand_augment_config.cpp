#include <charconv>
#include <cmath>
#include <limits>

#include "dataio/augment/rand_augment.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

using Operation = AugmentOperation;

struct Named {
  Operation operation;
  std::string_view name;
};

constexpr Named kNames[] = {
    {Operation::kAutoContrast, "AutoContrast"},
    {Operation::kEqualize, "Equalize"},
    {Operation::kInvert, "Invert"},
    {Operation::kRotate, "Rotate"},
    {Operation::kPosterize, "Posterize"},
    {Operation::kPosterizeIncreasing, "PosterizeIncreasing"},
    {Operation::kSolarize, "Solarize"},
    {Operation::kSolarizeIncreasing, "SolarizeIncreasing"},
    {Operation::kSolarizeAdd, "SolarizeAdd"},
    {Operation::kColor, "Color"},
    {Operation::kColorIncreasing, "ColorIncreasing"},
    {Operation::kContrast, "Contrast"},
    {Operation::kContrastIncreasing, "ContrastIncreasing"},
    {Operation::kBrightness, "Brightness"},
    {Operation::kBrightnessIncreasing, "BrightnessIncreasing"},
    {Operation::kSharpness, "Sharpness"},
    {Operation::kSharpnessIncreasing, "SharpnessIncreasing"},
    {Operation::kShearX, "ShearX"},
    {Operation::kShearY, "ShearY"},
    {Operation::kTranslateXRel, "TranslateXRel"},
    {Operation::kTranslateYRel, "TranslateYRel"},
    {Operation::kDesaturate, "Desaturate"},
    {Operation::kGaussianBlur, "GaussianBlur"},
};

std::vector<Operation> plain_operations(bool increasing) {
  if (increasing) {
    return {Operation::kAutoContrast,
            Operation::kEqualize,
            Operation::kInvert,
            Operation::kRotate,
            Operation::kPosterizeIncreasing,
            Operation::kSolarizeIncreasing,
            Operation::kSolarizeAdd,
            Operation::kColorIncreasing,
            Operation::kContrastIncreasing,
            Operation::kBrightnessIncreasing,
            Operation::kSharpnessIncreasing,
            Operation::kShearX,
            Operation::kShearY,
            Operation::kTranslateXRel,
            Operation::kTranslateYRel};
  }
  return {Operation::kAutoContrast, Operation::kEqualize,      Operation::kInvert,
          Operation::kRotate,       Operation::kPosterize,     Operation::kSolarize,
          Operation::kSolarizeAdd,  Operation::kColor,         Operation::kContrast,
          Operation::kBrightness,   Operation::kSharpness,     Operation::kShearX,
          Operation::kShearY,       Operation::kTranslateXRel, Operation::kTranslateYRel};
}

struct Weighted {
  Operation operation;
  double weight;
};

/// timm's _RAND_WEIGHTED_0.
constexpr Weighted kWeights[] = {
    {Operation::kRotate, 3},
    {Operation::kShearX, 2},
    {Operation::kShearY, 2},
    {Operation::kTranslateXRel, 1},
    {Operation::kTranslateYRel, 1},
    {Operation::kColorIncreasing, 0.25},
    {Operation::kSharpnessIncreasing, 0.25},
    {Operation::kAutoContrast, 0.25},
    {Operation::kSolarizeIncreasing, 0.05},
    {Operation::kSolarizeAdd, 0.05},
    {Operation::kContrastIncreasing, 0.05},
    {Operation::kBrightnessIncreasing, 0.05},
    {Operation::kEqualize, 0.05},
    {Operation::kPosterizeIncreasing, 0.05},
    {Operation::kInvert, 0.05},
};

/// timm's _RAND_WEIGHTED_3A.
constexpr Weighted kWeights3a[] = {
    {Operation::kSolarizeIncreasing, 6},
    {Operation::kDesaturate, 6},
    {Operation::kGaussianBlur, 6},
    {Operation::kRotate, 3},
    {Operation::kShearX, 2},
    {Operation::kShearY, 2},
    {Operation::kPosterizeIncreasing, 1},
    {Operation::kAutoContrast, 1},
    {Operation::kColorIncreasing, 1},
    {Operation::kSharpnessIncreasing, 1},
    {Operation::kContrastIncreasing, 1},
    {Operation::kBrightnessIncreasing, 1},
    {Operation::kEqualize, 1},
    {Operation::kInvert, 1},
};

template <std::size_t kCount>
void take_weighted(const Weighted (&set)[kCount], RandAugmentConfig& config) {
  for (const Weighted& entry : set) {
    config.operations.push_back(entry.operation);
    config.weights.push_back(entry.weight);
  }
}

[[noreturn]] void refuse(std::string_view text, std::string_view section, std::string_view why) {
  throw UsageError("rand_augment \"" + std::string(text) + "\": section \"" + std::string(section) +
                   "\" " + std::string(why) +
                   "; an example that works is \"rand-m9-mstd0.5-inc1\"");
}

/// The whole of `digits` as a number that is not negative; T decides whether fractions may be.
template <typename T>
T number(std::string_view text, std::string_view section, std::string_view digits) {
  T value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    refuse(text, section,
           std::is_integral_v<T> ? "needs a whole number behind its letters"
                                 : "needs a number behind its letters");
  }
  return value;
}

/// @param set what stands behind the t of its section; empty where there is no such section
void choose_operations(std::string_view text, std::string_view set, bool increasing,
                       RandAugmentConfig& config) {
  if (set.empty()) {
    config.operations = plain_operations(increasing);
  } else if (set == "weights") {
    take_weighted(kWeights, config);
  } else if (set == "3aw") {
    take_weighted(kWeights3a, config);
  } else if (set == "3a") {
    config.operations = {Operation::kSolarizeIncreasing, Operation::kDesaturate,
                         Operation::kGaussianBlur};
  } else {
    refuse(text, set, "names no set of operations (weights, 3a, 3aw)");
  }
}

}  // namespace

std::string_view operation_name(AugmentOperation operation) {
  for (const Named& entry : kNames) {
    if (entry.operation == operation) return entry.name;
  }
  return "unknown";
}

std::optional<AugmentOperation> operation_named(std::string_view name) {
  for (const Named& entry : kNames) {
    if (entry.name == name) return entry.operation;
  }
  return std::nullopt;
}

RandAugmentConfig parse_rand_augment(std::string_view text) {
  constexpr double kUniformFrom = 100;
  RandAugmentConfig config;
  std::string_view set;
  std::string_view layers;  // the section that gave them
  bool increasing = false;
  bool first = true;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t dash = std::min(text.find('-', at), text.size());
    const std::string_view section = text.substr(at, dash - at);
    at = dash + 1;
    if (first) {
      if (section == "augmix" || section == "original" || section == "originalr" ||
          section == "v0" || section == "v0r" || section == "3a") {
        refuse(text, section,
               "is one of timm's policies that are not offered: only RandAugment (\"rand-...\") "
               "is, \"rand-t3a\" and three_augment among it");
      }
      if (section != "rand") refuse(text, section, "must be \"rand\", the only kind there is");
      first = false;
      continue;
    }
    if (section.starts_with('t')) {
      set = section.substr(1);
      if (set.empty()) refuse(text, section, "names no set of operations (weights, 3a, 3aw)");
      continue;
    }
    const std::size_t letters = std::min(section.find_first_of("0123456789"), section.size());
    const std::string_view key = section.substr(0, letters);
    const std::string_view digits = section.substr(letters);
    if (key == "m") {
      config.magnitude = number<int>(text, section, digits);
    } else if (key == "n") {
      config.layers = number<int>(text, section, digits);
      layers = section;
    } else if (key == "p") {
      config.probability = number<double>(text, section, digits);
      if (config.probability > 1) refuse(text, section, "is no probability");
    } else if (key == "mstd") {
      config.magnitude_std = number<double>(text, section, digits);
      if (config.magnitude_std > kUniformFrom) {
        config.magnitude_std = std::numeric_limits<double>::infinity();
      }
    } else if (key == "mmax") {
      config.magnitude_max = number<int>(text, section, digits);
      if (config.magnitude_max == 0) config.magnitude_max = 10;  // as timm: 0 means its default
    } else if (key == "inc") {
      increasing = number<int>(text, section, digits) != 0;
    } else {
      refuse(text, section, "is unknown (known: m, n, p, mstd, mmax, inc, t)");
    }
  }
  choose_operations(text, set, increasing, config);
  if (!config.weights.empty() && config.layers > static_cast<int>(config.operations.size())) {
    refuse(text, layers, "asks for more operations than the weighted set has");
  }
  return config;
}

}  // namespace casvit::dataio
