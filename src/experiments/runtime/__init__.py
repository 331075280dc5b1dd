"""Claims devices, threads, precision and seeds; the steps before any model exists.

Order matters: the environment is set before the framework is imported, the framework
is told about threads and determinism before it starts its runtime, and what it then
says about its devices is what counts.
"""
