"""Which jobs a sweep or search would have."""
