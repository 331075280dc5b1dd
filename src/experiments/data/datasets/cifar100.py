"""CIFAR-100: 60,000 colour pictures of a hundred kinds of things, 32 x 32."""

from typing import Any, Unpack

from experiments.data.arrays.archive import Archive, ArchiveOptions, load_archive
from experiments.data.dataset import Dataset

_CLASSES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach
couch crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster
house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree
motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear
pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road
rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel
streetcar sunflower sweet_pepper table tank telephone television tiger tractor train
trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""


def load_cifar100(**options: Unpack[ArchiveOptions]) -> Dataset:
    """Loads CIFAR-100 with its fine labels; see `ArchiveOptions` for the arguments.

    Reference:
        Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images.
    """
    archive = Archive(
        name="cifar100",
        class_names=tuple(name.replace("_", " ") for name in _CLASSES.split()),
        image_shape=(32, 32, 3),
        wanted="cifar-100-python.tar.gz",
        # The second is the name that Keras gives to the same file.
        cached=("cifar-100-python.tar.gz", "cifar-100-python-target_archive"),
        download=_download,
    )
    return load_archive(archive, **options)


def _download() -> Any:
    import keras

    return keras.datasets.cifar100.load_data()
