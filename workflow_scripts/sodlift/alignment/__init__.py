"""Correspondences between images of different scenes: descriptors, retrieval, flow."""
