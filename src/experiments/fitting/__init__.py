"""What training tasks share: from wherever a job stopped to a recorded result."""
