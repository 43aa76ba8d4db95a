"""Trials on Ray: one of this machine's own, or the cluster that ``RAY_ADDRESS`` names."""
