"""The shop window: an embedded server that answers as TF Serving does, and a client for both."""
