"""What several processes cost, and how long a message waits for the one before it."""
