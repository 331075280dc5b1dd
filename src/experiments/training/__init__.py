"""Optimizers, schedules, losses, callbacks and the call to `fit`."""
