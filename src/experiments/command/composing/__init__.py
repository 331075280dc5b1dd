"""Single jobs as Hydra composes them, checked."""
