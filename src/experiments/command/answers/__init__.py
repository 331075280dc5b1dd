"""What was meant by words that are nothing, and where what is wrong comes from."""
