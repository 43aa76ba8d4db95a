"""What lies in storage: paths, tables, images. Knows no TensorFlow."""
