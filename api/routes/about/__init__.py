"""What the service says about itself: overview, description, problems, public keys, health and metrics. No token needed."""
