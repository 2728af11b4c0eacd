"""What finance does with a house, at the command line and on its pages alike."""
