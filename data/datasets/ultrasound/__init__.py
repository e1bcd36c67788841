"""Open data sets of joint ultrasound."""
