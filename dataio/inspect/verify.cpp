#include "dataio/inspect/verify.h"

#include <algorithm>
#include <mutex>

#include "dataio/container/dataset.h"
#include "dataio/error.h"
#include "dataio/pack/parallel_for.h"

namespace casvit::dataio {

VerifyResult verify_container(const std::string& path, bool decode, int workers,
                              const std::function<void(std::uint64_t, std::uint64_t)>& tick) {
  const Dataset dataset({path});
  VerifyResult result;
  result.samples = dataset.size();
  std::mutex mutex;
  const auto check = [&](std::uint64_t sample) {
    thread_local std::vector<std::uint8_t> bytes;
    try {
      if (decode) {
        static_cast<void>(dataset.decode(sample, bytes));
      } else {
        dataset.read(sample, bytes);
      }
    } catch (const InputError& error) {
      const std::lock_guard lock(mutex);
      result.damaged.push_back({path, sample, dataset.source_path(sample), error.what()});
    }
  };
  parallel_for(dataset.size(), workers, check,
               [&](std::uint64_t done) { tick(done, dataset.size()); });
  std::sort(result.damaged.begin(), result.damaged.end(),
            [](const DamagedSample& a, const DamagedSample& b) { return a.sample < b.sample; });
  return result;
}

}  // namespace casvit::dataio
