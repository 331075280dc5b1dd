"""Weights of before, out of any file that people have: read, named, fitted.

Whatever the format, a file becomes arrays by layer and variable in Keras' layout; only
what has both names and shape of a network's own goes into it. No file runs code.
"""
