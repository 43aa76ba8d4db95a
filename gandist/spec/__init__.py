"""A job file: what it may say, how it is read, and how its mistakes are told.

Nothing is imported here: data sets, architectures, losses and the like know ``spec.base``, and ``spec.job``
knows them.
"""
