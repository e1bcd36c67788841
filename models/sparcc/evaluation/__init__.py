"""How the SPARCC model is measured: slices and segments with oedema (``stir``), and the score."""
