"""The offline build: raw events in, signed releases out."""
