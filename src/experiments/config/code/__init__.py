"""Which code a config may have called, and which packages it needs."""
