"""torchvision's transforms and torch's DataLoader on Pillow. decode and augment yield labels alone, so that no
picture is copied between processes there."""

import PIL
import peer_protocol
import torch
import torchvision
from torchvision.transforms import InterpolationMode, transforms


class LabelsOnly(torchvision.datasets.ImageFolder):
    """Does the work, and gives away only the label."""

    def __getitem__(self, index):
        return super().__getitem__(index)[1]


def main():
    options = peer_protocol.arguments()
    whole = transforms.Compose(
        [
            transforms.RandomResizedCrop(options.image_size, interpolation=InterpolationMode.BICUBIC),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(peer_protocol.MEAN, peer_protocol.STD),
        ]
    )

    def make_stage(name):
        if name == "decode":
            data = LabelsOnly(options.folder)
        elif name == "augment":
            data = LabelsOnly(options.folder, whole)
        elif name == "loader":
            data = torchvision.datasets.ImageFolder(options.folder, whole)
        else:
            raise peer_protocol.NotComparable(f"torchvision has no stage {name}")
        loader = torch.utils.data.DataLoader(
            data, options.batch_size, shuffle=True, num_workers=options.threads, drop_last=True,
            persistent_workers=True,
        )
        return peer_protocol.endless(lambda: loader)

    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__, "Pillow": PIL.__version__}
    peer_protocol.serve(options, make_stage, versions, queued=2 * options.threads)


if __name__ == "__main__":
    main()
