"""Documents that more than one route responds with, or that are long: the catalogue, answers and plans, reports."""
