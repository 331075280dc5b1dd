"""Composition root: turns a checked config into data, a compiled model and callbacks.

Nobody below this room sees a config; everybody above gets built things from here.
"""
