"""MLflow's own server of a model, guarded, with a page where one is wanted."""

from pathlib import Path
from typing import Any

from starlette.middleware.trustedhost import TrustedHostMiddleware

from experiments.serving.guard import Application, Guard
from experiments.tracking.store.mlflow_import import import_mlflow, importing

_HOSTS = ["127.0.0.1", "localhost", "[::1]"]


def build_app(
    package: Path,
    *,
    title: str,
    page: bool,
    max_pixels: int,
    max_request_bytes: int,
    only_here: bool,
) -> Application:
    """Loads a model and returns what uvicorn serves.

    Args:
        package: Folder that `write_package` has written.
        title: Heading of the page.
        page: Whether `/` shows a page for people.
        max_pixels: An image that declares more is refused before it is decoded.
        max_request_bytes: A longer request is refused before all of it is read.
        only_here: Answer those only that ask for this machine by its own name: a page
            of the internet whose name points to 127.0.0.1 is none of them.
    """
    import_mlflow()
    with importing():
        from mlflow.pyfunc import load_model, scoring_server
    from experiments.serving.page import add_page

    model = load_model(str(package), model_config={"max_pixels": max_pixels})
    app = scoring_server.init(model)
    if page:
        add_page(app, model.get_raw_model(), title)
    guarded: Any = Guard(app, max_request_bytes)
    return TrustedHostMiddleware(guarded, _HOSTS) if only_here else guarded
