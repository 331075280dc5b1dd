"""What was trained before is found and used."""
