"""Segmenters, one kind per file."""
