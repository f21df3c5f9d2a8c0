"""Dense conditional random fields for saliency maps."""
