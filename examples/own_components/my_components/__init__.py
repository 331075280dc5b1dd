"""Components of one's own: nothing in the project had to be changed for them."""
