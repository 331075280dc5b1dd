"""Folders whose names say what the images in them show."""
