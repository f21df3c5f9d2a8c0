"""Pretrained backbones: one module each, with the taps and the preprocessing of every weights file."""
