"""Detector types: where prior maps come from."""
