"""A small model of WeChat and of several gateway processes, to try reception in."""
