"""Importers: what others wrote, as raw events of a dataset."""
