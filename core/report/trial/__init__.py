"""What the report says beyond agreement: verdicts, arms, estimands, a next trial, two campaigns."""
