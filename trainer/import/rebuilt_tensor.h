#pragma once

#include <vector>

#include "trainer/import/pickle_value.h"

namespace casvit::trainer {

/// What torch._utils._rebuild_tensor, _v2 and _v3 describe: (storage, offset, shape, strides,
/// requires_grad, hooks, dtype). Shape and strides are checked, not whether the storage is as long.
/// @throws PickleDefect
ValueId rebuild_tensor(PickleGraph& graph, const KnownGlobal& function,
                       const std::vector<ValueId>& arguments);

}  // namespace casvit::trainer
