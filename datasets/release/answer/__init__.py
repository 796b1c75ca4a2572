"""Answering: from a question and open releases to a table of values with their standard errors."""
