"""What can be told of images before anything heavy is imported."""
