"""Fashion-MNIST (Xiao et al. 2017): the authors' four idx files, or downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from gandist.activity import Tell, silent
from gandist.data import DataOptions, Dataset, _archives, _mnist_like

CLASSES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
# Keras itself checks none of these; the sums are those of the authors' files, which have the same sizes.
SHA256 = {
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}
ARCHIVES = {
    name[: name.index("-idx")]: _archives.Archive(f"fashion-mnist/{name}", _archives.KERAS + name, sha256)
    for name, sha256 in SHA256.items()
}
FASHION_MNIST = _mnist_like.Kind(
    "Fashion-MNIST", "fashion_mnist.npz", ("", "fashion-mnist", "FashionMNIST/raw", "fashion", "raw"), CLASSES
)


class Options(DataOptions):
    """The data section of a job file."""

    features: ClassVar[str] = "classifier"
    name: Literal["fashion_mnist"] = "fashion_mnist"


def load(options: Options, data_dir: Path | None, tell: Tell = silent) -> Dataset:
    """The 60,000 training images, and the 10,000 test images held out.

    Raises:
        DataError: the files are missing and cannot be downloaded, or do not hold what they should.
    """
    if data_dir is None:
        files = {part: archive.download(tell) for part, archive in ARCHIVES.items()}
        return _mnist_like.from_idx(FASHION_MNIST, files)
    return _mnist_like.load(FASHION_MNIST, data_dir)
