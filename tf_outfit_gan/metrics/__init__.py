"""What a picture is worth: the Frechet inception distance."""
