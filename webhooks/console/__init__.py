"""The console: what staff see, server-rendered, after a login of their own (ADR 0019)."""
