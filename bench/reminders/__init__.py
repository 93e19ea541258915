"""What reminding a city costs."""
