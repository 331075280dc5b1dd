"""Must never be imported: `test_launch` names it where a config might import it."""
