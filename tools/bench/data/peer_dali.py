"""NVIDIA DALI on the CPU: decoding of the drawn region, antialiased cubic resize. Its augment stage is crop,
resize and mirror to uint8, without normalising."""

import nvidia.dali as dali
import peer_protocol
from nvidia.dali import fn, types


def pipeline_of(options, name):
    size = options.image_size
    scaled = [[255 * value for value in values] for values in (peer_protocol.MEAN, peer_protocol.STD)]

    @dali.pipeline_def(batch_size=options.batch_size, num_threads=options.threads, device_id=None, seed=1,
                       prefetch_queue_depth=2)
    def build():
        encoded, labels = fn.readers.file(file_root=options.folder, random_shuffle=True, name="pictures")
        if name == "decode":
            return fn.decoders.image(encoded, device="cpu", output_type=types.RGB), labels
        images = fn.decoders.image_random_crop(
            encoded, device="cpu", output_type=types.RGB, random_area=[0.08, 1.0],
            random_aspect_ratio=[3 / 4, 4 / 3], num_attempts=10,
        )
        images = fn.resize(
            images, resize_x=size, resize_y=size, interp_type=types.INTERP_CUBIC, antialias=True
        )
        mirror = fn.random.coin_flip(probability=0.5)
        if name == "augment":
            return fn.flip(images, horizontal=mirror, vertical=0), labels
        images = fn.crop_mirror_normalize(
            images, mean=scaled[0], std=scaled[1], mirror=mirror, dtype=types.FLOAT, output_layout="HWC"
        )
        return images, labels

    built = build()
    built.build()
    return built


def main():
    options = peer_protocol.arguments()

    def make_stage(name):
        if name not in ("decode", "augment", "loader"):
            raise peer_protocol.NotComparable(f"DALI has no stage {name}")
        running = pipeline_of(options, name)
        return peer_protocol.endless(lambda: iter(running.run, None))

    peer_protocol.serve(options, make_stage, {"DALI": dali.__version__}, queued=3)


if __name__ == "__main__":
    main()
