"""Pictures for people: sheets with captions, and skeletons."""
