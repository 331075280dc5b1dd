"""Models in the form that MLflow reads and serves."""
