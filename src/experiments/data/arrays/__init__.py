"""Published archives of arrays: found, checked and read without running code."""
