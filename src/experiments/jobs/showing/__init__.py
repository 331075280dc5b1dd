"""What a person sees of a job on the screen."""
