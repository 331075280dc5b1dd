"""Schema of the data set whose labels stand in a table."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from experiments.config.fields import setting
from experiments.config.label_table import digest_table
from experiments.config.schema.dataset_files import DividedFilesConfig
from experiments.errors import Problem

_COLUMNS = ("path_column", "label_column", "split_column", "group_column")


@dataclass(frozen=True, kw_only=True)
class TableConfig(DividedFilesConfig):
    """A user's images, of which a table says where they are and what they show.

    Attributes:
        table: A CSV or Parquet file.
        path: The images' folder; of a checked config it is always one, null stands for
            that of the table.
        path_column: Column of the images' paths, relative to that folder.
        label_column: Column of what they show.
        split_column: Column of the split that each is in; null when nothing says so.
        group_column: Column of what tells which images stay together; null likewise.
    """

    table: str = setting(path=True, stands_for=digest_table)
    path: str | None = setting(path=True)  # type: ignore[assignment]
    path_column: str
    label_column: str
    split_column: str | None
    group_column: str | None

    def __post_init__(self) -> None:
        if self.path is None and isinstance(self.table, str):
            # So that everything else finds a folder of images here, as in others.
            object.__setattr__(self, "path", str(PurePath(self.table).parent))

    @property
    def folder(self) -> str:
        """The images' folder."""
        return str(self.path)

    @property
    def has_groups(self) -> bool:
        """Whether a column or the paths tell which images stay together."""
        return self.group is not None or self.group_column is not None

    def check(self) -> Iterator[Problem]:
        """Yields what is wrong with the columns."""
        yield from super().check()
        seen: set[str] = set()
        for key in _COLUMNS:
            name = getattr(self, key)
            if name is None:
                continue
            if not name.strip():
                yield Problem(key, "must name a column. Received an empty text.")
            elif name in seen:
                reason = f"must differ from the other columns. Received: {name}."
                yield Problem(key, reason)
            seen.add(name)
        if self.group is not None and self.group_column is not None:
            reason = "is not used with dataset.group_column: one of them says it."
            yield Problem("group", f"{reason} Received: {self.group}.")
