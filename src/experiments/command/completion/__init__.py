"""What the Tab key offers in a shell: groups, files, keys and values."""
