"""Pictures: opened, brought to sRGB, checked, cut out, fitted; and decoded in the graph."""
