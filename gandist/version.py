"""gandist's version, apart from ``gandist`` itself: that knows everything, and nothing within imports it."""

VERSION = "0.1.0"
