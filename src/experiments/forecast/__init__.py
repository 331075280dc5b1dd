"""What a command line would do, and what that takes, without doing it."""
