"""Commands of this same program that a job runs, as if a person had typed them."""
