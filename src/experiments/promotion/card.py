"""The card of a registered model: Markdown, written from the records of its run."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from experiments.counts import count_of, format_share, join_words, set_apart
from experiments.evaluation.confusion import list_confusions
from experiments.evaluation.reporting.report import Report
from experiments.promotion.decision import Decision
from experiments.promotion.seeds import Seeds

# What Markdown takes for more than text; `_` within a word is none of it.
_SPECIAL = re.compile(r"[\\`*<|]|~~|\[(?=[^\]]*\][\[(])|(?<!\w)_|_(?!\w)|^[#>+-]")
_CLASSES = 50  # that are named
_WORST = 5  # classes and confusions that are told
_SHOWN = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "top5_accuracy": "among the five likeliest",
    "macro_f1": "macro F1",
    "log_loss": "log loss",
    "expected_calibration_error": "expected calibration error",
}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a record tells of a model.

    Attributes:
        name: Of its run.
        run_id: MLflow's id of it.
        class_names: In the order of the outputs.
        image_shape: `(H, W, C)`.
        kind: What the network gives.
        rows: Section -> heading -> text, of network, training, data and origin.
        reading: How images are prepared, a sentence each.
    """

    name: str
    run_id: str
    class_names: Sequence[str]
    image_shape: tuple[int, int, int]
    kind: str
    rows: Mapping[str, Mapping[str, str]]
    reading: Sequence[str]


def write_card(
    facts: Facts, report: Report, *, images: str, tested: int, seeds: Seeds | None
) -> str:
    """Returns what there is to know of a model before it is used.

    Args:
        facts: Of its record.
        report: Of its test.
        images: The test images in words: `digits, test`.
        tested: How many models of the same name were held to these images.
        seeds: The trainings that it is one of; `None` for a single one.
    """
    lines = [
        f"# {_plain(facts.name)}",
        "",
        *_describe_use(facts),
        "",
        *_describe_test(report, images, tested),
        *_describe_seeds(seeds),
    ]
    for title, rows in facts.rows.items():
        lines += [f"## {title}", ""]
        lines += [f"- **{heading}**: {_plain(text)}" for heading, text in rows.items()]
        lines += [""]
    return "\n".join([*lines, *_describe_limits(report)]).rstrip() + "\n"


def write_description(card: str, decision: Decision) -> str:
    """Returns the card with the decision on top, as the registry shows it."""
    # What stays true when another one is the champion.
    words = {
        "first": "Became the champion without a comparison",
        "better": "Became the champion by a comparison",
        "forced": "Became the champion by force",
        "refused": "Did not become the champion",
        "same": "Was the champion",
    }
    return f"{words[decision.verdict]}. {decision.reason}\n\n{card}"


def _describe_use(facts: Facts) -> Iterator[str]:
    height, width, channels = facts.image_shape
    colours = {1: "grey", 3: "red, green, blue"}.get(channels, f"{channels} channels")
    names = [_plain(name) for name in set_apart(facts.class_names)]
    more = len(names) - _CLASSES
    shown = ", ".join(names[:_CLASSES]) + (
        f", ... ({len(names):,})" if more > 0 else ""
    )
    yield f"A classifier of {count_of(len(names), 'class', 'classes')}: {shown}."
    yield ""
    yield (
        "- **Asked over HTTP** (`mlflow models serve`, `task=serve`): image files in "
        "base64, or arrays; answered by label and probabilities."
    )
    yield (
        f"- **As a Keras model**: uint8 `(batch, {height}, {width}, {channels})`, "
        f"{colours}, bytes as they are; {facts.kind}, in the order above."
    )
    for sentence in facts.reading:
        yield f"- {sentence}"


def _describe_test(report: Report, images: str, tested: int) -> Iterator[str]:
    count = count_of(report.scores.images, "image")
    yield f"## Test: {count} of {_plain(images)}"
    yield ""
    for name, title in _SHOWN.items():
        if name in report.scores.overall:
            value, ends = report.scores.overall[name], report.intervals.get(name)
            around = "" if ends is None else f", {ends[0]:.4f} to {ends[1]:.4f}"
            yield f"- **{title}**: {value:.4f}{around}"
    yield ""
    yield "Behind each score its 95 % interval over the images (bootstrap)."
    yield ""
    if tested == 1:
        yield "It is the first model of this name that was held to these images."
    else:
        yield (
            f"It is one of {tested:,} models of this name that were held to these "
            "images: the more there are, the luckier the best of them looks."
        )
    yield ""
    known = [one for one in report.scores.classes if one.recall is not None]
    worst = sorted(known, key=lambda one: (one.recall, one.name))[:_WORST]
    parts = [
        f"{_plain(one.name)} ({format_share(one.recall or 0, 1)} of {one.support:,})"
        for one in worst
        if (one.recall or 0) < 1
    ]
    if parts:
        yield f"Found least: {'; '.join(parts)}."
        yield ""
    mistaken = list_confusions(report.predictions, most=_WORST)
    if mistaken:
        told = [
            f"{_plain(one.truth)} for {_plain(one.predicted)} ({one.count:,})"
            for one in mistaken
        ]
        yield f"Taken most often: {'; '.join(told)}."
        yield ""


def _describe_seeds(seeds: Seeds | None) -> Iterator[str]:
    if seeds is None:
        return
    yield f"## {count_of(len(seeds.members), 'seed')}"
    yield ""
    yield (
        f"The same settings with other random numbers. By {seeds.objective} this one, "
        f"seed {seeds.chosen.seed}, was chosen, and not by its test."
    )
    yield ""
    for member in seeds.members:
        test = "" if member.test is None else f", test accuracy {member.test:.4f}"
        yield f"- **{member.seed}**: {seeds.objective} {member.score:.4f}{test}"
    yield ""
    told = seeds.estimate_test()
    if told.mean is not None and told.margin is not None:
        yield f"Mean test accuracy {told.mean:.4f}, {told} (Student's t over seeds)."
        yield ""


def _describe_limits(report: Report) -> Iterator[str]:
    yield "## What was not looked at"
    yield ""
    yield (
        "The scores say how it does on images such as these, and nothing of those of "
        "another camera, place or year. It names a class for any image, of whatever it "
        "is."
    )
    few = [one.name for one in report.scores.classes if 0 < one.support < 10]
    if few:
        names = join_words([_plain(name) for name in set_apart(few[:_WORST])])
        more = f" and {len(few) - _WORST:,} more" if len(few) > _WORST else ""
        yield ""
        yield f"Fewer than ten test images have: {names}{more}."
    if report.scores.absent:
        absent = set_apart(report.scores.absent[:_WORST])
        names = join_words([_plain(name) for name in absent])
        yield ""
        yield f"No test image has: {names}."


def _plain(text: str) -> str:
    """Returns a text of a record so that Markdown shows it as it is, on one line."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(str(text).split()))
