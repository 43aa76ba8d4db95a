"""What a terminal shows of jobs, and how it is written there."""
