"""What a model is worth: how near its pictures are to photos, and whether they show what was asked for."""
