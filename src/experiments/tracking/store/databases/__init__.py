"""The database under MLflow: created, upgraded, and moved with its folder."""
