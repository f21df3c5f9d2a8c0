"""What an evaluation counts over images, in words."""

COUNTED = {
    "dropped": "images dropped by the protocol",
    "left_out": "images without a map",
    "missing": "missing maps",
    "empty_gt": "empty ground truths",
    "constant": "constant maps",
    "all_zero": "maps of zeros",
    "resized": "resized maps",
    "partial_range": "maps not spanning 0..255",
    "nan_s": "images whose S has an empty quadrant",
    "undefined": "images for which a measure is undefined",
    "mask_grey": "masks with values between black and white",
    "mask_dim": "masks without white",
    **{
        f"{of}_{note}": f"{note.replace('colour', 'coloured').replace('alpha', 'transparent')} {of}s"
        for of in ("mask", "map")
        for note in ("colour", "alpha", "palette", "16-bit", "float")
    },
}
"""Words by the counts' names, in the order in which footers list them."""

ALWAYS = ("empty_gt", "constant", "resized", "partial_range", "nan_s")
"""Those that footers print even where they are 0, since protocols differ in what they do with such images."""
