"""Benchmarks: ratios to named peers and limits, measured in one run (`make bench`)."""
