"""Tables whose rows say where the images are and what they show."""
