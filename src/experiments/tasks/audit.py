"""Looks for what is wrong with a data set: labels, copies, leaks, odd images."""

import os
from dataclasses import replace
from pathlib import Path

from rich.table import Table

from experiments import job_files
from experiments.audit.evidence import read_evidence
from experiments.audit.findings import Findings, find_all
from experiments.audit.labels import Judgement, judge_labels
from experiments.audit.page import build_audit_page
from experiments.audit.proposals import Proposal, list_proposals, write_proposals
from experiments.audit.summary import describe_unseen, list_found, summarise
from experiments.audit.survey import Survey, survey_dataset
from experiments.builders.data import build_dataset
from experiments.builders.devices import claim_devices, configure_framework
from experiments.command.printed import describe_command
from experiments.config.kinds.corrections import KEY, Correction, read_corrections
from experiments.config.schema.datasets.dataset import FilesConfig
from experiments.config.schema.run import RunConfig
from experiments.counts import count_of
from experiments.files import replace_bytes
from experiments.jobs.children.folds_sweep import train_folds
from experiments.jobs.job import Job, JobResult
from experiments.jobs.runs.run_names import find_named
from experiments.jobs.showing.display import short_path
from experiments.screen import open_console
from experiments.tracking.recorded import read_folder
from experiments.tracking.store.runs.run_names import Wanted


def audit(job: Job) -> JobResult:
    """Writes `audit.html` and `corrections.csv` into the job's folder.

    The images are looked at first: what is found of them is written before models are
    trained that judge the labels.

    Args:
        job: Names the data set and, with `run_id`, the predictions that judge its
            labels; without it the job trains models that make them, if it is to.

    Returns:
        A result that counts what was found.

    Raises:
        ExperimentError: The data set cannot be read, or the models not be trained.
    """
    options, environment = job.run.task.arguments(), dict(os.environ)
    decided = _read_decided(job)
    folder = _find_folder(job)
    survey = _look_at_images(job)
    findings = find_all(survey, near_bits=options["near_bits"], labels=None)
    _write(job, findings, decided)
    if folder is None and options["train"]:
        page = short_path(job.output_dir / job_files.AUDIT_PAGE)
        print(f"What was found of the images themselves: {page}")
        folder = train_folds(job, survey.dataset, options["folds"], environment)
    labels = None if folder is None else _judge(survey, folder)
    findings = replace(findings, labels=labels)
    proposals = _write(job, findings, decided)
    _show(job, findings, proposals)
    return JobResult(
        name=job.name,
        status="FINISHED",
        metrics={"proposals": float(len(proposals))},
        overrides=job.overrides,
        output_dir=str(job.output_dir),
    )


def _read_decided(job: Job) -> dict[str, Correction]:
    """Returns what a person has decided: it is proposed again as it is.

    The same command writes the same file again, which somebody may have edited.
    """
    given = getattr(job.run.dataset, "corrections", None)
    applied = {} if given is None else read_corrections(Path(given)).rows
    edited, proposed = (
        read_corrections(path).rows if path.exists() else {}
        for path in (
            job.output_dir / job_files.CORRECTIONS,
            job.output_dir / job_files.PROPOSALS,
        )
    )
    own = {
        sample: row
        for sample, row in edited.items()
        if sample not in proposed or row.differs(proposed[sample])
    }
    return {**own, **applied}


def _find_folder(job: Job) -> Path | None:
    """Returns the folder of the sweep or run that `run_id` names."""
    name = job.run.run_id
    if name is None:
        return None
    kinds = getattr(job.run.task, "run_kinds", ())
    wanted = Wanted(objective=job.run.trainer.objective, kinds=kinds)
    destination = job.run.destination()
    found = find_named(str(name), destination, wanted)
    return found.folder or read_folder(str(found.run_id), destination)


def _look_at_images(job: Job) -> Survey:
    _prepare_reading(job.run)
    dataset = build_dataset(_tolerating(job.run))
    images = sum(map(len, dataset.splits.values()))
    print(f"Looking at {count_of(images, 'image')} of {dataset.name}.", flush=True)
    return survey_dataset(dataset)


def _prepare_reading(run: RunConfig) -> None:
    """Lets TensorFlow, which looks at files, take no GPU from whoever trains."""
    if isinstance(run.dataset, FilesConfig):
        trainer = replace(run.trainer, precision="float32")
        reader = replace(run, gpu="cpu", backend="tensorflow", trainer=trainer)
        configure_framework(reader, claim_devices(reader))


def _tolerating(run: RunConfig) -> RunConfig:
    """Returns the config with unusable files left out: they are told, as the rest."""
    if not isinstance(run.dataset, FilesConfig):
        return run
    return replace(run, dataset=replace(run.dataset, on_corrupt="skip"))


def _judge(survey: Survey, folder: Path) -> Judgement:
    predictions, source = read_evidence(folder)
    return judge_labels(survey, predictions, source)


def _write(
    job: Job, findings: Findings, decided: dict[str, Correction]
) -> list[Proposal]:
    proposals = list_proposals(findings, decided)
    write_proposals(job.output_dir / job_files.PROPOSALS, list_proposals(findings))
    write_proposals(job.output_dir / job_files.CORRECTIONS, proposals)
    title = f"Audit of {findings.survey.dataset.name}"
    content = build_audit_page(
        findings, title=title, next_command=_describe_training(job)
    )
    replace_bytes(job.output_dir / job_files.AUDIT_PAGE, content.encode())
    return proposals


def _describe_training(job: Job) -> str:
    left = ("task=", "task.", "run_id=", f"{KEY}=")
    words = [word for word in job.overrides if not word.startswith(left)]
    table = job.output_dir / job_files.CORRECTIONS
    return describe_command(*words, f"{KEY}={table}")


def _show(job: Job, findings: Findings, proposals: list[Proposal]) -> None:
    shown = Table(box=None, pad_edge=False)
    shown.add_column("finding")
    shown.add_column("found", justify="right")
    found, absent = list_found(summarise(findings))
    for row in found:
        shown.add_row(row.finding, f"{row.count:,}")
    if found:
        open_console(whole=True).print(shown)
    print(absent)
    if findings.labels is not None and (text := describe_unseen(findings.labels)):
        print(text)
    print(f"\nto see    {short_path(job.output_dir / job_files.AUDIT_PAGE)}")
    if not proposals:
        print("Nothing is to be corrected.")
        return
    actions = ("relabel", "drop", "keep")
    counts = [f"{sum(p.action == a for p in proposals):,} {a}" for a in actions]
    table = short_path(job.output_dir / job_files.CORRECTIONS)
    print(f"to edit   {table} ({', '.join(counts)})")
    print(f"to train  {_describe_training(job)}")
