"""Names that whoever writes a served model and whoever loads it agree on.

A model that is served takes this module along, see `experiments.serving.vendored`.
"""

COLUMN = "image"
SETTINGS = "serving.json"
MODEL = "model.keras"
REFUSED = "IMAGE_REFUSED"  # the class of an error, in what MLflow answers
WANTED = (
    f'A row is {{"{COLUMN}": ...}}: the bytes of a JPEG or PNG file in base64, or '
    "numbers from 0 to 255."
)
