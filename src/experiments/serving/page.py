"""A page on which an image is dropped, and shows what a model sees in it and where."""

import asyncio
import base64
import json
import threading
from collections.abc import Mapping
from typing import Any

from mlflow.exceptions import MlflowException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from experiments.errors import ConfigError, ExperimentError
from experiments.evaluation.explaining.explanation import Explanation, explain_images
from experiments.pages import build_page
from experiments.pictures.heat_map import enlarge, lay_over
from experiments.pictures.thumbnail import draw_thumbnail
from experiments.serving.answering import ServedModel
from experiments.serving.names import REFUSED, WANTED
from experiments.serving.page_parts import BODY, SCRIPT, STYLE
from experiments.serving.refused import RefusedError

# Nothing is fetched from elsewhere, and no other page may frame this one.
_POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'"
)
_BAD_REQUEST, _UNPROCESSABLE = 400, 422


def add_page(app: Any, served: ServedModel, title: str) -> None:
    """Adds `/`, the page, and `/explain`, which it asks for heat maps.

    Args:
        app: Of Starlette or FastAPI.
        served: Answers.
        title: Heading.
    """
    text = build_page(title, [BODY], style=STYLE, head=f"<script>{SCRIPT}</script>")
    one_at_a_time = threading.Lock()  # the maps of every layer take memory

    def explain(request: Any) -> dict[str, Any]:
        if not isinstance(request, Mapping) or "image" not in request:
            raise RefusedError(WANTED)
        if served.has_several_labels:
            raise RefusedError("Heat maps are drawn of one label an image.")
        try:
            pixels = served.read(request["image"])
        except MlflowException as error:  # the model has its own copy of our class
            raise RefusedError(f"This {error.message}.") from None
        wanted = request.get("class_name")
        with one_at_a_time:
            (found,) = explain_images(
                served.model,
                pixels[None],
                served.class_names,
                names=["image"],
                class_name=None if wanted is None else str(wanted),
            )
        return _describe(found)

    async def show(_: Request) -> Response:
        return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY})

    async def answer(request: Request) -> Response:
        try:
            body = json.loads(await request.body())
            return JSONResponse(await asyncio.to_thread(explain, body))
        except ConfigError:
            return _refuse(_BAD_REQUEST, "There is no such class.")
        except RefusedError as error:
            return _refuse(_BAD_REQUEST, error.message)
        except ValueError:
            return _refuse(_BAD_REQUEST, WANTED)
        except ExperimentError as error:
            return _refuse(_UNPROCESSABLE, str(error))

    app.add_route("/", show, methods=["GET"])
    app.add_route("/explain", answer, methods=["POST"])


def _describe(found: Explanation) -> dict[str, Any]:
    view = found.views[-1]
    return {
        "seen": _as_address(draw_thumbnail(enlarge(found.pixels))),
        "map": _as_address(draw_thumbnail(lay_over(found.pixels, view.heat))),
        "heading": view.heading,
        "method": found.method,
    }


def _as_address(content: bytes) -> str:
    kind = "png" if content.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _refuse(status: int, reason: str) -> Response:
    return JSONResponse({"error_class": REFUSED, "message": reason}, status)
