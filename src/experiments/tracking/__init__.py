"""What a run was and what came of it, kept in MLflow; the only importer of mlflow."""
