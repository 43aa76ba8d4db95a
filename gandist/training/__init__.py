"""Training. Importing this package loads TensorFlow, in an environment that gandist has pinned."""

from gandist import tensorflow_start  # noqa: F401
