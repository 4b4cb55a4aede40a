#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "dataio/container/reader.h"
#include "dataio/inspect/distribution.h"

namespace casvit::dataio {

/// Sizes, shapes and class balance of a container: as lines for a person, and as JSON.
std::string sizes_text(const SizeDistribution& sizes);
nlohmann::ordered_json sizes_json(const SizeDistribution& sizes);
std::string classes_text(const ContainerReader& reader);
nlohmann::ordered_json balance_json(const ContainerReader& reader);

/// "0.485, 0.456, 0.406", with as many digits as a float needs.
std::string triple_text(const std::array<float, 3>& values);

}  // namespace casvit::dataio
