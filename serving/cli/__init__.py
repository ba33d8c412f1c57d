"""The verbs of serving: serve and request."""
