"""The live page: the jobs of a storage in a browser, read-only, while they run.

Reads job directories as the report does, and trusts them as little. Loads neither TensorFlow nor Ray.
"""
