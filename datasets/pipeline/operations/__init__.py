"""Acts on what is published: verification, withdrawal, rollback, recovery."""
