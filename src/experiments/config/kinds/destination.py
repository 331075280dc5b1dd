"""Where the records of runs go, and are read again: a store and a folder."""

from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where the records of runs go.

    What only reads needs the folder and, for another store, its address.

    Attributes:
        output_dir: Folder of all that runs leave, which holds the embedded database;
            is made absolute.
        uri: MLflow tracking server, PostgreSQL database or SQLite file; `None` for
            `<output_dir>/mlflow.db`.
        experiment: Name of the experiment that new runs belong to.
        ui_url: Address of MLflow's pages, for links; `None` for the server itself, or
            where `make ui` listens.
        server_timeout: Seconds that a server may stay silent.
        enabled: False with `tracking=off`: new runs are not recorded.
    """

    output_dir: Path
    uri: str | None = None
    experiment: str = ""
    ui_url: str | None = None
    server_timeout: int = 60
    enabled: bool = True

    def __post_init__(self) -> None:
        """Makes the folder one that stays when the current one is changed."""
        object.__setattr__(self, "output_dir", self.output_dir.absolute())

    def at(self, uri: str | None) -> "Destination":
        """Returns the same but for the address of the store."""
        return replace(self, uri=uri)
