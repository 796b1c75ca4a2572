"""The harmonised transparency report of Implementing Regulation (EU) 2024/2835: its parts, filled from releases."""
