"""MLflow and its database: the only room that knows them."""
