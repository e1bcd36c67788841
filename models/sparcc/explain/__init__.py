"""Where the network of marrow oedema let signal through its attention gates, and tests of such maps."""
