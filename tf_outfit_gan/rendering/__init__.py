"""Many pictures in one process: which are asked for, how they are drawn, and the folder that they go to."""
