"""The embedded demo data set and the generator of its scenes."""
