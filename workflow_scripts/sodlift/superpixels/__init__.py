"""Superpixels: exact SLIC and the graphs on it."""
