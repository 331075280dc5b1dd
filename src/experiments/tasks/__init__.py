"""What can be done with an experiment; one module a task."""
