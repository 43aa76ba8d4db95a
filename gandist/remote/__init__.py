"""A Ray cluster from outside: its dashboard and its Jobs API, and copying what a job has left."""
