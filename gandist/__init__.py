"""Train small-image GANs as jobs of configurations x seeds on Ray, and get one honest report."""

__version__ = "0.1.0"
