"""Writes the tables of `README.md` anew from the stored results."""

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from results import load

README = Path(__file__).resolve().parent / "README.md"
BEGIN, END = "<!-- results -->", "<!-- end of results -->"
BENCHMARKS = (
    "startup",
    "overhead",
    "checkpoint",
    "convolutions",
    "convolutions-avx512",
    "pipeline",
    "search",
    "search_quality",
    "gpu",
)
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
    script, _, _ = name.partition("-")
    machine, versions = result["machine"], result["versions"]
    yield (
        f"`{script}.py`, {result['date']}, commit {result['commit']}: "
        f"{machine.get('gpu') or machine['cpu']}, "
        f"{machine['threads']} threads; "
        f"{', '.join(f'{package} {number}' for package, number in versions.items())}; "
        f"load {result['load_average_before'][0]} before{_describe_after(result)}. "
        f"Settings: {_describe(result['settings'])}."
    )
    for title, comparison in result.get("comparisons", {}).items():
        yield _render_comparison(title, comparison)
    if script == "convolutions":
        yield _render_networks(result)
        yield _render_layers(result)
    if name == "pipeline":
        yield _render_pipelines(result)
    if name == "search":
        yield _render_search(result)
    if name == "search_quality":
        yield _render_methods(result)
        yield _render_pairs(result)
    if name == "gpu":
        yield _render_gpu(result)


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


def _render_networks(result: dict[str, Any]) -> str:
    rows = [
        "| training steps of 16 images | images/s | lowered | ratio |\n"
        "| --- | --- | --- | --- |"
    ]
    for name, figures in result["networks"].items():
        rows.append(
            f"| {name} | {figures['images_per_second']} "
            f"| {figures['images_per_second_lowered']} | {figures['ratio']:.2f} |"
        )
    return "\n".join(rows)


def _render_pipelines(result: dict[str, Any]) -> str:
    rows = [
        "| JPEG files to batches | images/s | ratio | of CPU |\n"
        "| --- | --- | --- | --- |"
    ]
    for name, figures in result["pipelines"].items():
        rows.append(
            f"| {name} | {figures['images_per_second']} "
            f"| {figures['ratio']:.2f} | {figures['ratio_of_cpu']:.2f} |"
        )
    return "\n".join(rows)


def _render_layers(result: dict[str, Any]) -> str:
    """Gives a row to a layer, and a column to each batch size and map."""
    layers = result["layers"]
    columns = sorted({(x["batch_size"], x["positions"]) for x in layers})
    names = [f"{batch} images, {positions}" for batch, positions in columns]
    rows = [
        f"| product / convolution, positions | {' | '.join(names)} |\n"
        f"| --- {'| --- ' * len(names)}|"
    ]
    for layer in dict.fromkeys(x["layer"] for x in layers):
        cells = {
            (x["batch_size"], x["positions"]): _render_ratio(x)
            for x in layers
            if x["layer"] == layer
        }
        rows.append(f"| {layer} | {' | '.join(cells[c] for c in columns)} |")
    return "\n".join(rows)


def _render_ratio(figures: dict[str, Any]) -> str:
    ratio = figures["milliseconds_of_the_product"] / figures["milliseconds"]
    return f"**{ratio:.2f}**" if figures["lowered"] else f"{ratio:.2f}"


def _render_search(result: dict[str, Any]) -> str:
    driver, packing, memory = (result[k] for k in ("driver", "packing", "memory"))
    rows = [
        "| what a search costs beside its trials | measured | goal |",
        "| --- | --- | --- |",
        f"| driver, a trial that does nothing | {driver['milliseconds_a_trial']} ms "
        f"| ≤ {driver['goal_milliseconds']} ms |",
        f"| Hydra's composition and launch of it | "
        f"{driver['hydra_milliseconds_a_trial']} ms | |",
        f"| memory of the driver, from a tenth of them to the end | "
        f"+{driver['memory_growth_mb_from_a_tenth_on']} MB of {driver['memory_mb']} MB "
        "| none beyond Hydra's |",
        f"| Hydra's own sweep over as many jobs, likewise | "
        f"+{driver['hydra_memory_growth_mb_from_a_tenth_on']} MB of "
        f"{driver['hydra_memory_mb']} MB | |",
        f"| the driver's for each trial, single steps left out | "
        f"{driver['memory_kilobytes_a_trial']} kB, Hydra's "
        f"{driver['hydra_memory_kilobytes_a_trial']} kB | its record |",
        f"| {packing['workers']} workers, trials of 1 to 10, to perfect packing | "
        f"{packing['ratio']} | ≤ {packing['goal']} |",
        f"| {memory['trials']} trials that train, memory of the driver | "
        f"{memory['driver_growth']:+.1%} | ≤ {memory['goal_growth']:.0%} |",
        f"| the same, memory of the one process that they run in | "
        f"{memory['trial_process_growth']:+.1%} | ≤ {memory['goal_growth']:.0%} |",
    ]
    return "\n".join(rows)


def _render_methods(result: dict[str, Any]) -> str:
    budget, target = result["budget_epochs"], result["target"]
    rows = [
        f"| best validation loss after {budget} epochs | mean | standard deviation "
        f"| epochs to {target:.4f}, median | reached it |\n"
        "| --- | --- | --- | --- | --- |"
    ]
    for name, figures in result["methods"].items():
        rows.append(
            f"| {name} | {figures['mean']:.4f} | {figures['spread']:.4f} "
            f"| {figures['epochs_to_target']} | {figures['reached_target']} |"
        )
    return "\n".join(rows)


def _render_pairs(result: dict[str, Any]) -> str:
    seeds = result["settings"]["seeds"]
    rows = [
        "| ours | theirs | ours - theirs | seeds in which ours is as good or better |\n"
        "| --- | --- | --- | --- |"
    ]
    for pair in result["pairs"]:
        rows.append(
            f"| {pair['ours']} | {pair['theirs']} | {pair['difference']:+.4f} "
            f"| {pair['wins']} of {seeds} |"
        )
    return "\n".join(rows)


def _render_gpu(result: dict[str, Any]) -> str:
    contenders, limit = result["contenders"], result["limit"]
    base = statistics.median(contenders[result["baseline"]]["images_per_second"])
    rows = [
        "| ResNet-50, 224 px, bfloat16 | images/s, median (lowest - highest) "
        f"| to the baseline | to {limit} | goals | memory, GB |\n"
        "| --- | --- | --- | --- | --- | --- |"
    ]
    for name, figures in contenders.items():
        speeds = figures["images_per_second"]
        middle = statistics.median(speeds)
        ratio = f"{middle / base:.3f}"
        if name == result["baseline"]:
            ratio = "baseline"
        elif figures["batch_size"] != result["settings"]["batch_size"]:
            ratio = ""  # only what has the same batches is comparable
        goals = ", ".join(f"≥ {goal}" for goal in figures["goals"])
        rows.append(
            f"| {name} | {middle:.0f} ({min(speeds):.0f} - {max(speeds):.0f}) "
            f"| {ratio} | {middle / limit:.3f} | {goals} | {figures['peak_gb']} |"
        )
    return "\n".join(rows)


def _describe_after(result: dict[str, Any]) -> str:
    after = result.get("load_average_after")
    return "" if after is None else f", {after[0]} after"


def _describe(settings: dict[str, Any]) -> str:
    given = {k: v for k, v in settings.items() if v is not None}
    return ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in given.items())


if __name__ == "__main__":
    main()
