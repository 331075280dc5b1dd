"""How far numbers would move with other images or seeds."""
