"""Every name of a file or folder that a job, a sweep or a search leaves.

They are read by later releases, on other machines and by people: a name that changes
here changes the format of records, see `records`. What a file holds is told where it
is written.

| below the output folder | what |
| --- | --- |
| `mlflow.db`, `artifacts/` | the embedded database of MLflow, and the files of runs |
| `registry.lock` | held by the `task=promote` that is at work |
| `runs/`, `sweeps/` | a folder a job or sweep; named in `conf/` |

| below a job's folder | what |
| --- | --- |
| `.hydra/` | Hydra's: the composed config; named in `conf/` |
| `run.log` | the log, with each epoch's line; named in `conf/` too |
| `job.lock`, `job.holder.json` | held by the process that works here, and which it is |
| `result.json` | how the job ended; a job that has it FINISHED is not run again |
| `origin.json` | code, packages and data that it was started with |
| `rollbacks.json` | how often it went back to a checkpoint after a NaN |
| `accumulate.json` | into how many parts a batch was found to be split |
| `cleaned.json` | when `task=clean` removed its checkpoints |
| `screen.log` | what a job printed that had a process of its own |
| `checkpoints/` | states of the training, each a file that ends in `.safetensors` |
| `checkpoints/manifest.json` | which of them count |
| `inspect.html` | what a training would see and do, of `task=inspect` |
| `find_lr.html` | losses over learning rates, of `task=find_lr` |
| `find_lr.png` | the picture of it |
| `find_lr.json` | the same as numbers, and what was proposed |
| `explanation.html`, `explanations/` | where images speak for a class, a picture each |
| `audit.html`, `corrections.csv` | what an audit found and proposes; what was applied |
| `proposals.csv` | the same as it was proposed, to tell what a person has edited |
| `predictions/` | what its model said of each image, see `name_predictions` |
| `splits.csv` | which image file is in which split, and its class |
| `predictions/` | what its model said of each image, a table a data set or split |
| `evaluation/` | scores of its model, a folder a data set; see `report_files` |
| `predictions.csv`, `predictions.parquet` | what a model said of somebody's files |
| `unreadable.csv` | which of these are no images, and why |
| `gallery.html` | those of which it is least sure |
| `bundle/` | an exported model and what goes along, see `export.bundle` |
| `served_model/` | a model as MLflow serves it, see `serving.package` |
| `tracking/` | records of its run, see below |

| below `tracking/` | what |
| --- | --- |
| `journal.jsonl` | every record, see `tracking.spool.journal` |
| `artifacts/`, `models/` | the files that it names |
| `run.json` | MLflow's run in each store, written by whoever created it |
| `sent.json` | how many entries each of these runs holds |
| `models.json` | where models lie that were sent |
| `refused.jsonl` | entries that MLflow does not accept, and why |
| `owner.lock` | held by the process that records or sends |
| `run.lock` | held while the run is looked up or created |

| below a sweep's folder | what |
| --- | --- |
| `multirun.yaml` | Hydra's: the composed config of the sweep |
| `job.lock`, `job.holder.json`, `tracking/` | as above, of the sweep's own run |
| a folder a job | named after what tells it from the others |
| `pace.jsonl` | when its jobs began and ended, since it was started last |
| `header.json` | what the first of them printed of itself |
| `workers/` | what jobs that run side by side share |
| `workers/stop` | is there while jobs that run side by side are asked to end |
| `workers/advice/` | a file for each advice that one of its jobs has given |
| `workers/slots/` | which of them has which share of the cores |
| `comparison.html` | the page that compares its runs; also that of `task=compare` |
| `predictions/out_of_fold.parquet` | what each fold's job said of its images |
| `search.html` | the page of a search |
| `search/` | what it needs in order to go on |
| `search/trials.jsonl` | its trials: each as it was asked for and as it ended |
| `search/order.json` | its parameters in the order in which it was started |
| `search/stop` | is there while its trials are asked to end |
| `search/slots/` | which worker has which share of the cores |
| `trials/` | the runs of trials that are trained with several seeds |
"""

# The output folder.
DATABASE = "mlflow.db"
ARTIFACTS = "artifacts"  # below `tracking/` too
REGISTRY_LOCK = "registry.lock"

# A job's folder.
LOCK = "job.lock"
HOLDER = "job.holder.json"
RESULT = "result.json"
ORIGIN = "origin.json"
ROLLBACKS = "rollbacks.json"
ACCUMULATE = "accumulate.json"
CLEANED = "cleaned.json"
SCREEN = "screen.log"
LOG = "run.log"
INSPECTION = "inspect.html"
RANGE_TEST = "find_lr.json"
RANGE_PICTURE = "find_lr.png"
RANGE_PAGE = "find_lr.html"

CHECKPOINTS = "checkpoints"
MANIFEST = "manifest.json"
STATE_SUFFIX = ".safetensors"

SPLITS = "splits.csv"
PREDICTIONS = "predictions"
EVALUATION = "evaluation"
ANSWERS = "predictions.csv"  # or TABLE
UNREADABLE = "unreadable.csv"
GALLERY = "gallery.html"
TABLE = "predictions.parquet"
COMPARISON = "comparison.html"
EXPLANATION_PAGE = "explanation.html"
EXPLANATIONS = "explanations"
OUT_OF_FOLD = "out_of_fold.parquet"
AUDIT_PAGE = "audit.html"
CORRECTIONS = "corrections.csv"
PROPOSALS = "proposals.csv"
BUNDLE = "bundle"
SERVED = "served_model"

TRACKING = "tracking"
JOURNAL = "journal.jsonl"
MODELS = "models"
RUN = "run.json"
SENT = "sent.json"
SENT_MODELS = "models.json"
REFUSED = "refused.jsonl"
OWNER_LOCK = "owner.lock"
RUN_LOCK = "run.lock"

# A sweep's folder.
SWEEP_PACE = "pace.jsonl"
SWEEP_HEADER = "header.json"
WORKERS = "workers"
ADVICE = "advice"
PAGE = "search.html"
SEARCH = "search"
TRIALS = "trials.jsonl"
ORDER = "order.json"
STOP = "stop"
SLOTS = "slots"
REPEATS = "trials"


def name_predictions(split: str) -> str:
    """Returns the table of a split, below a job's folder and among its run's files."""
    return f"{PREDICTIONS}/{split}.parquet"
