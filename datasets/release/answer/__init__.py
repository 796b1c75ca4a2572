"""Answers from the cells of opened releases, with exact variances."""
