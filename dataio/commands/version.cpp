#include "dataio/commands/commands.h"
#include "dataio/container/schema.h"
#include "dataio/library_versions.h"

namespace casvit::dataio {

std::string version_text() {
  return "casvit-pack " CASVIT_VERSION "\n  container schema " + std::to_string(schema::kMajor) +
         "." + std::to_string(schema::kMinor) + "\n" + library_versions() + "  compiler " +
         __VERSION__;
}

}  // namespace casvit::dataio
