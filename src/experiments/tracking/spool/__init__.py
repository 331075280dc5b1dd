"""What a process writes down of its run, safe on disk before anything is sent."""
