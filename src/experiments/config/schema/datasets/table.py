"""Schema of the data set whose labels stand in a table."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from experiments.config.kinds.label_table import DELIMITERS, digest_table
from experiments.config.reading.fields import setting
from experiments.config.schema.datasets.files import DividedFilesConfig
from experiments.errors import Problem

_COLUMNS = (
    *("path_column", "label_column", "split_column", "group_column"),
    "weight_column",
)


@dataclass(frozen=True, kw_only=True)
class TableConfig(DividedFilesConfig):
    """A user's images, of which a table says where they are and what they show.

    Attributes:
        table: A CSV or Parquet file.
        path: The images' folder; of a checked config it is always one, null stands for
            that of the table.
        path_column: Column of the images' paths, relative to that folder.
        label_column: Column of what they show.
        label_delimiter: What stands between several labels of an image, which may have
            none: semicolon, comma, space, bar, tab or a text; null for one label each.
        label_columns: In place of `label_column` one for each class, of 0 and 1.
        split_column: Column of the split that each is in; null when nothing says so.
        group_column: Column of what tells which images stay together; null likewise.
        weight_column: Column of what each image counts in the loss of a training; null
            for 1 each.
    """

    table: str = setting(path=True, stands_for=digest_table)
    path: str | None = setting(path=True)  # type: ignore[assignment]
    path_column: str
    label_column: str
    label_delimiter: str | None = setting(added=6, before=None)
    label_columns: list[str] | None = setting(added=6, before=None, min_length=2)
    split_column: str | None
    group_column: str | None
    weight_column: str | None = setting(added=6, before=None)

    def __post_init__(self) -> None:
        words = {sign: word for word, sign in DELIMITERS.items()}
        if isinstance(self.label_delimiter, str):  # typed as a word or as it is
            word = words.get(self.label_delimiter, self.label_delimiter)
            object.__setattr__(self, "label_delimiter", word)
        if self.path is None and isinstance(self.table, str):
            # So that everything else finds a folder of images here, as in others.
            object.__setattr__(self, "path", str(PurePath(self.table).parent))

    @property
    def folder(self) -> str:
        """The images' folder."""
        return str(self.path)

    @property
    def has_several_labels(self) -> bool:
        """Whether rows may have several labels, or none."""
        return self.label_delimiter is not None or self.label_columns is not None

    @property
    def has_weights(self) -> bool:
        """Whether images count differently in the loss of a training."""
        return self.weight_column is not None

    @property
    def has_groups(self) -> bool:
        """Whether a column or the paths tell which images stay together."""
        return self.group is not None or self.group_column is not None

    def check(self) -> Iterator[Problem]:
        """Yields what is wrong with the columns."""
        yield from super().check()
        seen: set[str] = set()
        for key, name in self._list_columns():
            if not name.strip():
                yield Problem(key, "must name a column. Received an empty text.")
            elif name in seen:
                reason = f"must differ from the other columns. Received: {name}."
                yield Problem(key, reason)
            seen.add(name)
        if self.group is not None and self.group_column is not None:
            reason = "is not used with dataset.group_column: one of them says it."
            yield Problem("group", f"{reason} Received: {self.group}.")
        yield from self._check_labels()

    def _list_columns(self) -> Iterator[tuple[str, str]]:
        for key in _COLUMNS:
            name = getattr(self, key)
            if key == "label_column" and self.label_columns is not None:
                yield from (("label_columns", each) for each in self.label_columns)
            elif name is not None:
                yield key, name

    def _check_labels(self) -> Iterator[Problem]:
        if self.label_delimiter is not None and self.label_columns is not None:
            reason = "is not used with dataset.label_columns, which hold 0 and 1."
            told = f"{reason} Received: {self.label_delimiter!r}."
            yield Problem("label_delimiter", told, "Leave one of them out.")
        if self.label_delimiter == "":
            reason = "must be what stands between labels. Received an empty text."
            yield Problem(
                "label_delimiter", reason, "Such as dataset.label_delimiter=semicolon."
            )
