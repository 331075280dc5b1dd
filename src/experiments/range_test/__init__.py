"""Which learning rate a short training at rising rates speaks for."""
