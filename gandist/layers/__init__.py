"""Layers that architectures share, one file a topic: what Keras lacks, or has slower or with hidden state."""
