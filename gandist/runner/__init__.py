"""Running the trials of a job: what is left to do, on what, and how it goes."""
