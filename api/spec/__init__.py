"""The OpenAPI description and the pages about problems."""
