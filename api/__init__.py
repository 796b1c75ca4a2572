"""The HTTP shell: who asks, may they, what do they get."""
