"""Files go both ways between ours and Python's safetensors library, the reference for the format."""

import json
import os
import random
import subprocess
import tempfile
import unittest

import numpy
import safetensors
import safetensors.numpy

EXCHANGE = os.path.join(os.environ["CASVIT_BIN"], "casvit_safetensors_exchange")

# The library's names for serialize(), and bytes an element.
DTYPES = {
    "bool": 1, "uint8": 1, "int8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4,
    "int64": 8, "uint64": 8, "float16": 2, "bfloat16": 2, "float32": 4, "float64": 8,
    "float8_e4m3fn": 1, "float8_e5m2": 1,
}


def every_dtype(seed):
    """Tensors of every dtype with random bytes, in random order, some empty, some scalar."""
    source = random.Random(seed)
    tensors = []
    for dtype, width in DTYPES.items():
        for shape in ([], [3], [2, 0, 5], [2, 3, 1]):
            count = int(numpy.prod(shape, dtype=numpy.int64))
            data = [source.randrange(2 if dtype == "bool" else 256) for _ in range(count * width)]
            tensors.append((f"{source.randrange(10**6)}.{dtype}.{len(shape)}", dtype, shape,
                            numpy.array(data, dtype=numpy.uint8)))
    source.shuffle(tensors)
    return tensors


def serialized(tensors, metadata):
    """The bytes that the library writes for (name, dtype, shape, bytes as uint8) tuples."""
    return bytes(safetensors.serialize(
        {name: safetensors.TensorSpec(dtype=dtype, shape=shape, data_ptr=data.ctypes.data,
                                      data_len=data.nbytes)
         for name, dtype, shape, data in tensors}, metadata=metadata))


class Exchange(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def rewrite(self, contents):
        with open(self.path("in"), "wb") as file:
            file.write(contents)
        subprocess.run([EXCHANGE, "rewrite", self.path("in"), self.path("out")], check=True)
        with open(self.path("out"), "rb") as file:
            return file.read()

    def test_every_dtype_is_written_as_the_library_writes_it(self):
        for seed, metadata in enumerate([None, {"key": "väl\"ue\n"}, {"": ""}]):
            theirs = serialized(every_dtype(seed), metadata)
            self.assertEqual(self.rewrite(theirs), theirs)

    def test_no_tensors(self):
        theirs = serialized([], None)
        self.assertEqual(self.rewrite(theirs), theirs)

    def test_library_reads_what_we_wrote(self):
        arrays = {
            "half": numpy.linspace(-3, 3, 7, dtype=numpy.float16),
            "matrix": numpy.arange(12, dtype=numpy.float64).reshape(3, 4).T.copy(),
            "mask": numpy.array([True, False, True]),
            "scalar": numpy.array(5, dtype=numpy.int64),
            "empty": numpy.zeros((0, 3), dtype=numpy.int32),
        }
        ours = safetensors.numpy.load(self.rewrite(safetensors.numpy.save(arrays)))
        self.assertEqual(set(ours), set(arrays))
        for name, array in arrays.items():
            self.assertEqual(ours[name].dtype, array.dtype)
            numpy.testing.assert_array_equal(ours[name], array)

    def test_library_reads_a_checkpoint(self):
        subprocess.run([EXCHANGE, "checkpoint", self.path("c.safetensors")], check=True)
        with safetensors.safe_open(self.path("c.safetensors"), framework="numpy") as file:
            self.assertEqual(set(file.keys()), {"model.conv.weight", "ema.conv.weight",
                                                "model.norm.num_batches_tracked"})
            expected = numpy.arange(24, dtype=numpy.float32).reshape(2, 3, 2, 2)
            numpy.testing.assert_array_equal(file.get_tensor("model.conv.weight"), expected)
            self.assertEqual(file.get_tensor("model.norm.num_batches_tracked"), 7)
            metadata = file.metadata()
        self.assertEqual(metadata["format"], "pt")
        info = json.loads(metadata["casvit_info"])
        self.assertEqual(info["step"], 250)
        self.assertEqual(info["classes"], ["Maize", "Shepherd’s Purse"])
        self.assertEqual(set(json.loads(metadata["casvit_xxh3"])),
                         {"model.conv.weight", "ema.conv.weight", "model.norm.num_batches_tracked"})

    def test_both_refuse_the_same_damage(self):
        contents = safetensors.numpy.save({"a": numpy.arange(5, dtype=numpy.int32)})
        for damaged in (contents[:-1], contents + b"\0", contents[:20], contents[8:],
                        contents.replace(b"[0,20]", b"[4,24]"), contents.replace(b"I32", b"I33")):
            with self.assertRaises(safetensors.SafetensorError):
                safetensors.deserialize(damaged)
            with open(self.path("in"), "wb") as file:
                file.write(damaged)
            result = subprocess.run([EXCHANGE, "rewrite", self.path("in"), self.path("out")],
                                    capture_output=True, text=True)
            self.assertEqual(result.returncode, 3)
            self.assertIn(self.path("in"), result.stderr)
            self.assertFalse(os.path.exists(self.path("out")))


if __name__ == "__main__":
    unittest.main()
