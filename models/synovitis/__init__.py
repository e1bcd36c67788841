"""Synovitis on ultrasound: five networks that grade a picture or guess at the disease behind it."""
