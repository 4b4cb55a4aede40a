#include "trainer/import/known_globals.h"

#include <algorithm>
#include <array>

namespace casvit::trainer {
namespace {

using Role = GlobalRole;
using Type = ElementType;

constexpr ElementFormat kFloat64{Type::kFloat64, 8, "float64"};
constexpr ElementFormat kFloat32{Type::kFloat32, 4, "float32"};
constexpr ElementFormat kFloat16{Type::kFloat16, 2, "float16"};
constexpr ElementFormat kBFloat16{Type::kBFloat16, 2, "bfloat16"};
constexpr ElementFormat kInt64{Type::kInt64, 8, "int64"};
constexpr ElementFormat kInt32{Type::kInt32, 4, "int32"};
constexpr ElementFormat kInt16{Type::kInt16, 2, "int16"};
constexpr ElementFormat kInt8{Type::kInt8, 1, "int8"};
constexpr ElementFormat kUint8{Type::kUint8, 1, "uint8"};
constexpr ElementFormat kBool{Type::kBool, 1, "bool"};

constexpr KnownGlobal storage(std::string_view name, ElementFormat format) {
  return {"torch", name, Role::kStorageType, format};
}
constexpr KnownGlobal dtype(ElementFormat format) {
  return {"torch", format.name, Role::kElementType, format};
}
constexpr KnownGlobal other_dtype(std::string_view name, std::uint8_t bytes) {
  return {"torch", name, Role::kElementType, {Type::kOther, bytes, name}};
}

constexpr std::array kGlobals{
    KnownGlobal{"collections", "OrderedDict", Role::kDictionary},
    KnownGlobal{"collections", "Counter", Role::kDictionary},
    KnownGlobal{"collections", "defaultdict", Role::kDefaultDict},
    KnownGlobal{"torch._utils", "_rebuild_tensor", Role::kTensor},
    KnownGlobal{"torch._utils", "_rebuild_tensor_v2", Role::kTensor},
    KnownGlobal{"torch._utils", "_rebuild_tensor_v3", Role::kTensor},
    KnownGlobal{"torch._utils", "_rebuild_parameter", Role::kParameter},
    KnownGlobal{"torch._utils", "_rebuild_parameter_with_state", Role::kParameter},
    KnownGlobal{"torch._tensor", "_rebuild_from_type_v2", Role::kFromType},
    KnownGlobal{"torch", "Size", Role::kTuple},
    KnownGlobal{"torch", "Tensor"},
    KnownGlobal{"torch", "device"},
    KnownGlobal{"torch.nn.parameter", "Parameter"},
    storage("DoubleStorage", kFloat64),
    storage("FloatStorage", kFloat32),
    storage("HalfStorage", kFloat16),
    storage("BFloat16Storage", kBFloat16),
    storage("LongStorage", kInt64),
    storage("IntStorage", kInt32),
    storage("ShortStorage", kInt16),
    storage("CharStorage", kInt8),
    storage("ByteStorage", kUint8),
    storage("BoolStorage", kBool),
    storage("ComplexFloatStorage", {Type::kOther, 8, "complex64"}),
    storage("ComplexDoubleStorage", {Type::kOther, 16, "complex128"}),
    storage("QUInt8Storage", {Type::kOther, 1, "quint8"}),
    storage("QInt8Storage", {Type::kOther, 1, "qint8"}),
    storage("QInt32Storage", {Type::kOther, 4, "qint32"}),
    storage("UntypedStorage", {Type::kOther, 1, "bytes"}),
    KnownGlobal{"torch.storage", "UntypedStorage", Role::kStorageType, {Type::kOther, 1, "bytes"}},
    KnownGlobal{"torch.storage", "_UntypedStorage", Role::kStorageType, {Type::kOther, 1, "bytes"}},
    dtype(kFloat64),
    dtype(kFloat32),
    dtype(kFloat16),
    dtype(kBFloat16),
    dtype(kInt64),
    dtype(kInt32),
    dtype(kInt16),
    dtype(kInt8),
    dtype(kUint8),
    dtype(kBool),
    other_dtype("uint16", 2),
    other_dtype("uint32", 4),
    other_dtype("uint64", 8),
    other_dtype("complex64", 8),
    other_dtype("complex128", 16),
    other_dtype("float8_e4m3fn", 1),
    other_dtype("float8_e5m2", 1),
    KnownGlobal{"_codecs", "encode", Role::kEncode},
    KnownGlobal{"copyreg", "_reconstructor", Role::kReconstructor},
    KnownGlobal{"copy_reg", "_reconstructor", Role::kReconstructor},
    KnownGlobal{"numpy", "dtype", Role::kNumpyDtype},
    KnownGlobal{"numpy", "ndarray"},
    KnownGlobal{"numpy.core.multiarray", "scalar", Role::kNumpyScalar},
    KnownGlobal{"numpy._core.multiarray", "scalar", Role::kNumpyScalar},
    KnownGlobal{"numpy.core.multiarray", "_reconstruct"},
    KnownGlobal{"numpy._core.multiarray", "_reconstruct"},
    KnownGlobal{"argparse", "Namespace"},
    KnownGlobal{"pathlib", "Path"},
    KnownGlobal{"pathlib", "PosixPath"},
    KnownGlobal{"pathlib", "PurePosixPath"},
    KnownGlobal{"pathlib", "WindowsPath"},
    KnownGlobal{"pathlib", "PureWindowsPath"},
    KnownGlobal{"pathlib._local", "PosixPath"},
    KnownGlobal{"pathlib._local", "WindowsPath"},
    KnownGlobal{"builtins", "object"},
    KnownGlobal{"builtins", "bool"},
    KnownGlobal{"builtins", "int"},
    KnownGlobal{"builtins", "float"},
    KnownGlobal{"builtins", "str"},
    KnownGlobal{"builtins", "bytes"},
    KnownGlobal{"builtins", "list"},
    KnownGlobal{"builtins", "dict"},
    KnownGlobal{"builtins", "set"},
    KnownGlobal{"builtins", "frozenset"},
    KnownGlobal{"builtins", "complex"},
    KnownGlobal{"builtins", "bytearray"},
    KnownGlobal{"builtins", "slice"},
    KnownGlobal{"builtins", "range"},
    KnownGlobal{"builtins", "xrange"},
};

/// As pickles of protocol 2 and less call what Python 3 calls builtins.
constexpr std::string_view kOldBuiltins = "__builtin__";

}  // namespace

std::string full_name(const KnownGlobal& global) {
  return std::string(global.module) + "." + std::string(global.name);
}

const KnownGlobal* find_global(std::string_view module, std::string_view name) {
  if (module == kOldBuiltins) module = "builtins";
  const auto* found = std::find_if(
      kGlobals.begin(), kGlobals.end(),
      [&](const KnownGlobal& global) { return global.module == module && global.name == name; });
  return found == kGlobals.end() ? nullptr : found;
}

}  // namespace casvit::trainer
