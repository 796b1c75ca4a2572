"""The OpenAPI description of the API, and the explanations of its problems."""
