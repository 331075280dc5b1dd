"""Folders of images: how they are laid out, what lies in them, what changed."""
