"""From catalogues to training batches."""
