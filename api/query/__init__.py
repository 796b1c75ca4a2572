"""From the parameters of a question to the bytes of its answer."""
