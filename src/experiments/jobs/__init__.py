"""One job: what it is, where it runs, what it left and what a person sees of it."""
