"""Keys, JWS signatures and the strict reading of JSON."""
