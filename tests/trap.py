"""Must never be imported: tests of `launch` name it where a config might import it."""
