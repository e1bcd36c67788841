"""The next trial, planned with the numbers of this study."""
