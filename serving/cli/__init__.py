"""The verbs of serving: serve, request and rollout."""
