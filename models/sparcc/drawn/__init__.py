"""Real anatomy, drawn lesions: oedema drawn into real lumbar volumes, to test on and never to train on."""
