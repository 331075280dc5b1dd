"""What is wrong with labelled images: labels, copies, leaks, blank and odd ones."""
