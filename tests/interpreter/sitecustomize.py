"""Lets the interpreters that tests start end without a last look for garbage."""

import atexit
import gc

atexit.register(gc.freeze)
