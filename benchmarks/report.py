"""Writes the tables of `README.md` anew from the stored results."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from results import load

README = Path(__file__).resolve().parent / "README.md"
BEGIN, END = "<!-- results -->", "<!-- end of results -->"
BENCHMARKS = ("startup", "overhead", "checkpoint")
HEAD = (
    "| | seconds, median (min) | CPU seconds | ratio, median (rounds) | of minima "
    "| of CPU | goal |\n| --- | --- | --- | --- | --- | --- | --- |"
)


def main() -> None:
    """Replaces what stands between the two markers."""
    before, _, rest = README.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    parts = [part for name in BENCHMARKS for part in render(name)]
    text = "\n\n".join([BEGIN, *parts, END])
    README.write_text(f"{before}{text}{after}", "utf-8")


def render(name: str) -> Iterator[str]:
    """Yields the paragraphs and tables of one benchmark."""
    result = load(name)
    if result is None:
        yield f"`{name}.py`: not recorded yet."
        return
    machine, versions = result["machine"], result["versions"]
    yield (
        f"`{name}.py`, {result['date']}, commit {result['commit']}: {machine['cpu']}, "
        f"{machine['threads']} threads; "
        f"{', '.join(f'{package} {number}' for package, number in versions.items())}; "
        f"load {result['load_average_before'][0]} before, "
        f"{result['load_average_after'][0]} after. "
        f"Settings: {_describe(result['settings'])}."
    )
    for title, comparison in result["comparisons"].items():
        yield _render_comparison(title, comparison)


def _render_comparison(title: str, comparison: dict[str, Any]) -> str:
    apart = comparison["control_difference"]
    notes = [
        f"controls differ by {apart['cpu']:.1%} of CPU, {apart['wall']:.1%} of wall"
    ]
    if (losses := comparison.get("losses")) is not None:
        notes.append(f"losses by {losses['largest_difference']:.0e} at most")
    rows = [_render_row(*item) for item in comparison["contenders"].items()]
    return "\n".join([f"**{title}** ({', '.join(notes)})\n", HEAD, *rows])


def _render_row(name: str, figures: dict[str, Any]) -> str:
    wall, cpu = figures["wall"], figures["cpu"]
    cells = [name, f"{wall['median']:.2f} ({wall['min']:.2f})", f"{cpu['median']:.2f}"]
    if (ratio := figures.get("ratio")) is None:
        cells += ["baseline", "", "", ""]
    else:
        low, high = ratio["wall_spread"]
        cells += [
            f"{ratio['wall_median']:.3f} ({low:.3f} - {high:.3f})",
            f"{ratio['wall_min']:.3f}",
            f"{ratio['cpu_median']:.3f}",
            "" if ratio["goal"] is None else f"≤ {ratio['goal']}",
        ]
    return f"| {' | '.join(cells)} |"


def _describe(settings: dict[str, Any]) -> str:
    given = {k: v for k, v in settings.items() if v is not None}
    return ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in given.items())


if __name__ == "__main__":
    main()
