"""The store: which releases exist, which are current, and what happened to them."""
