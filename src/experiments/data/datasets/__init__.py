"""The data sets, one module each; a config names their functions."""
