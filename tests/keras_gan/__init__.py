"""Of gandist.keras; a folder of that name would hide Keras itself from the tests."""
