"""What is decided before any event is read: budget, bounds, standard errors."""
