"""What happens beside the steps: saving, stopping, showing, measuring."""
