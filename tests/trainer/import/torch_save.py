"""Writes files of torch.save with Python's own pickle, without PyTorch: pickles that name torch's functions
through stand-ins of the same names, and the zip layout that PyTorch's writer has (stored entries aligned to 64
bytes, sizes behind the data, zip64 records) or the stream of pickles from before PyTorch 1.6."""

import collections
import io
import pickle
import struct
import sys
import types
import zlib

import numpy

TYPES = {"float64": "DoubleStorage", "float32": "FloatStorage", "float16": "HalfStorage",
         "int64": "LongStorage"}
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


def stand_in(module, name, value):
    value.__module__, value.__name__, value.__qualname__ = module, name, name
    setattr(sys.modules.setdefault(module, types.ModuleType(module)), name, value)
    return value


STORAGES = {name: stand_in("torch", name, type(name, (), {})) for name in TYPES.values()}
REBUILD = stand_in("torch._utils", "_rebuild_tensor_v2", lambda *arguments: arguments)


class Storage:
    """Elements in the file; `hole`: that many bytes that nobody writes, instead."""

    def __init__(self, array, hole=0):
        self.array, self.hole = numpy.ascontiguousarray(array), hole
        self.elements = hole // self.array.itemsize if hole else self.array.size


class Tensor:
    """A whole array, or a view of a storage with an offset and strides in elements."""

    def __init__(self, array, storage=None, offset=0, strides=None):
        self.storage = storage or Storage(array)
        self.offset, self.shape = offset, array.shape
        self.strides = strides or tuple(int(numpy.prod(array.shape[axis + 1:]))
                                        for axis in range(array.ndim))

    def __reduce_ex__(self, protocol):
        return REBUILD, (self.storage, self.offset, self.shape, self.strides, False,
                         collections.OrderedDict())


class Pickler(pickle._Pickler):
    """Python's own, in Python: the C one asks protocol 0 for persistent ids that are ASCII text."""

    def __init__(self, file, protocol, is_legacy=False):
        super().__init__(file, protocol)
        self.bin = 1  # binary persistent ids, as torch's are in protocol 0 and 1, too
        self.storages, self.is_legacy = {}, is_legacy

    def persistent_id(self, obj):
        if not isinstance(obj, Storage):
            return None
        key = str(self.storages.setdefault(obj, len(self.storages)))
        location = ("cpu", obj.elements, None) if self.is_legacy else ("cpu", obj.elements)
        return ("storage", STORAGES[TYPES[str(obj.array.dtype)]], key, *location)


def save_zip(path, obj, protocol=2):
    """torch.save(obj, path)"""
    body = io.BytesIO()
    pickler = Pickler(body, protocol)
    pickler.dump(obj)
    with open(path, "wb") as file:
        writer = ZipWriter(file)
        writer.add("data.pkl", body.getvalue())
        writer.add("byteorder", b"little")
        for storage, key in pickler.storages.items():
            writer.add(f"data/{key}", storage.array.tobytes(), storage.hole)
        writer.add("version", b"3\n")
        writer.close()


def save_legacy(path, obj, protocol=2):
    """torch.save(obj, path, _use_new_zipfile_serialization=False)"""
    with open(path, "wb") as file:
        pickle.dump(LEGACY_MAGIC, file, protocol)
        pickle.dump(1001, file, protocol)
        pickle.dump({"protocol_version": 1001, "little_endian": True,
                     "type_sizes": {"short": 2, "int": 4, "long": 4}}, file, protocol)
        pickler = Pickler(file, protocol, is_legacy=True)
        pickler.dump(obj)
        pickle.dump([str(key) for key in pickler.storages.values()], file, protocol)
        for storage in pickler.storages:
            file.write(struct.pack("<q", storage.elements) + storage.array.tobytes())


class ZipWriter:
    """As caffe2/serialize/inline_container.cc writes through miniz."""

    def __init__(self, file):
        self.file, self.directory, self.count = file, b"", 0

    def add(self, name, data, hole=0):
        offset, encoded = self.file.tell(), f"archive/{name}".encode()
        size, crc = hole or len(data), zlib.crc32(data)
        start = offset + 30 + len(encoded) + 4
        padding = b"FB" + struct.pack("<H", -start % 64) + b"Z" * (-start % 64)
        self.file.write(b"PK\3\4" + struct.pack("<HHHHHIIIHH", 0, 0x808, 0, 0, 0, 0, 0, 0,
                                                len(encoded), len(padding)) + encoded + padding)
        if hole:
            self.file.seek(hole, io.SEEK_CUR)
        else:
            self.file.write(data)
        self.file.write(b"PK\7\x08" + struct.pack("<IQQ", crc, size, size))
        narrow, extra = [], b""
        for value in (size, size, offset):
            narrow.append(min(value, 0xFFFFFFFF))
            extra += struct.pack("<Q", value) if value >= 0xFFFFFFFF else b""
        extra = struct.pack("<HH", 1, len(extra)) + extra if extra else b""
        self.directory += b"PK\1\2" + struct.pack(
            "<HHHHHHIIIHHHHHII", 0, 0, 0x808, 0, 0, 0, crc, narrow[0], narrow[1], len(encoded), len(extra),
            0, 0, 0, 0, narrow[2]) + encoded + extra
        self.count += 1

    def close(self):
        start, size = self.file.tell(), len(self.directory)
        self.file.write(self.directory)
        self.file.write(b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 0x31E, 45, 0, 0, self.count, self.count,
                                                size, start))
        self.file.write(b"PK\6\7" + struct.pack("<IQI", 0, start + size, 1))
        self.file.write(b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, self.count, self.count,
                                                min(size, 0xFFFFFFFF), min(start, 0xFFFFFFFF), 0))
