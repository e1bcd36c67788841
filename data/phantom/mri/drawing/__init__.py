"""What a stack is drawn with: signals of tissues, bones, nerves, soft tissue, and the scanner."""
