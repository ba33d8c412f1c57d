"""Serving: an embedded server that answers as TF Serving does, and the verbs serve and request."""
