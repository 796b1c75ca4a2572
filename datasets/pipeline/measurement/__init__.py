"""Noise: drawn, added to counts, and estimates of what bounding kept."""
