"""What the service says about itself: its overview, description, problems, public keys, health and metrics. Open to all."""
