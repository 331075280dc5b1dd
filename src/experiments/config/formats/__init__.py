"""What recorded configs of earlier formats mean today."""
