"""Do a model's agreement with readers, its output or its images drift, from device to device or over time?"""
