"""Refiners: one public module or package a type."""
