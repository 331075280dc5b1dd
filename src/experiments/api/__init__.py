"""What `import experiments` offers to scripts and notebooks, see docs/python.md."""
