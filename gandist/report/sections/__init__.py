"""The sections of the report: each a file with ``TITLE``, ``ORDER`` and ``build(content)``."""
