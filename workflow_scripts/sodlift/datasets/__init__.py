"""Data sets: where they come from, their manifests, their health."""
