"""What riding costs."""
