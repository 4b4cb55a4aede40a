#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "trainer/import/element_type.h"

namespace casvit::trainer {

/// What calling a name, or making an instance of it, means here. None of it runs anything: each
/// makes a value out of values.
enum class GlobalRole : std::uint8_t {
  kDictionary,     ///< a dictionary, perhaps of pairs given
  kDefaultDict,    ///< a dictionary; the argument makes defaults, which nobody here asks for
  kTuple,          ///< torch.Size: its argument
  kEncode,         ///< _codecs.encode: bytes of a text
  kReconstructor,  ///< copyreg._reconstructor: an instance of its first argument
  kNumpyScalar,    ///< a number
  kNumpyDtype,     ///< an object whose text is the type's code ("f8")
  kStorageType,    ///< torch.FloatStorage: never called, named by persistent ids
  kElementType,    ///< torch.float32: never called
  kTensor,         ///< torch._utils._rebuild_tensor, _v2, _v3
  kParameter,      ///< torch._utils._rebuild_parameter...: its first argument
  kFromType,       ///< torch._tensor._rebuild_from_type_v2: what its first argument makes
  kObject,         ///< an object that keeps its arguments and state unread
};

/// A name that a pickle may ask for.
struct KnownGlobal {
  std::string_view module;
  std::string_view name;
  GlobalRole role = GlobalRole::kObject;
  ElementFormat format = {};  ///< of kStorageType and kElementType
};

/// "argparse.Namespace"
std::string full_name(const KnownGlobal& global);

/// The whole of what a pickle may name: tensors of torch, plain containers, and the passive types
/// that trainers keep beside weights. nullptr for every other name.
const KnownGlobal* find_global(std::string_view module, std::string_view name);

}  // namespace casvit::trainer
