"""How small image files are read, the way of naming them left out."""

SMALL_FILES = {
    "classes": None,
    "image_size": 16,
    "channels": 3,
    "crop_ratio": 1.0,
    "background": "white",
    "mean": None,
    "std": None,
    "validation_fraction": 0.25,
    "test_fraction": 0.25,
    "split_by": "path",
    "split_seed": 0,
    "on_corrupt": "error",
    "verify": "full",
    "scan_cache": None,
    "max_pixels": 200_000_000,
    "cache": "auto",
    "decode_threads": 2,
}
