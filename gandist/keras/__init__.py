"""GANs the way of Keras: ``compile``, ``fit``, callbacks. Importing this loads TensorFlow."""

from gandist import tensorflow_start  # isort: skip  # noqa: F401 - before whatever loads TensorFlow

from gandist.keras.callbacks import LossPlot, SampleGrid
from gandist.keras.gan import GAN

__all__ = ["GAN", "LossPlot", "SampleGrid"]
