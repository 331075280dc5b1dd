"""Random changes of training images, each decided by its sample's key."""
