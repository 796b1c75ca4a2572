"""Who may ask: projects, people, tokens, keys and their audit. It knows nothing of datasets."""
