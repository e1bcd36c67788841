"""What models guess of the disease behind images: kept and shown apart from scores."""
