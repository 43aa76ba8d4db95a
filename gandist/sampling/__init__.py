"""Generators and checkpoints: found in a job directory, loaded safely, and made to draw.

A stranger's directory is looked into (``generators``, ``kept``) before TensorFlow is loaded.
"""
