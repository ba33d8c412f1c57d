"""What a catalogue or its records hold, and what is odd about them."""
