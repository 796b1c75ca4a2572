"""Benchmarks: ratios against named peers and limits, measured side by side in one run (`make bench`)."""
