"""The smallest run that shows what any run does."""

TINY = [
    "model=resnet",
    "model.depth=null",
    "model.blocks=[1]",
    "model.block=basic",
    "model.width=8",
    "dataset=synthetic_small",
    "dataset.image_size=16",
]
