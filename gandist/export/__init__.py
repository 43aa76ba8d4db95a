"""Ways out of a job directory: figures, tables, TensorBoard, MLflow. Read from it, also while the job runs.

Each is a file of its own. None loads TensorFlow or Ray.
"""
