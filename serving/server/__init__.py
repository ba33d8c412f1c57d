"""The embedded server: TF Serving's gRPC and REST, without TF Serving."""
