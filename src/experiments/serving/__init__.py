"""A trained model that answers others: as an MLflow model, over HTTP, on a page."""
