"""The least that answers the same request: Keras, FastAPI, Pillow, without checks."""

import base64
import io
import sys

import keras
import numpy as np
import uvicorn
from fastapi import FastAPI, Request
from PIL import Image, ImageOps

model = keras.saving.load_model(sys.argv[1], compile=False)
height, width, channels = model.input_shape[1:]
mode = "L" if channels == 1 else "RGB"
app = FastAPI()


@app.post("/invocations")
async def answer(request: Request) -> dict[str, list[dict[str, float]]]:
    """Returns the probabilities of each image."""
    rows = (await request.json())["instances"]
    images = [Image.open(io.BytesIO(base64.b64decode(row["image"]))) for row in rows]
    fitted = [ImageOps.fit(i.convert(mode), (width, height)) for i in images]
    pixels = np.reshape(np.stack(fitted), (-1, height, width, channels))
    logits = np.asarray(model.predict_on_batch(pixels), np.float64)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return {"predictions": [{str(k): p for k, p in enumerate(r)} for r in shares]}


uvicorn.run(app, port=int(sys.argv[2]), log_level="warning")
