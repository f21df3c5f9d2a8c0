"""Running refiners over whole data sets."""
