"""Metrics and the named protocols under which they are computed."""
