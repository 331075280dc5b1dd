"""What keys and values of this project are called elsewhere.

One table for all that suggests something to whoever typed another name. It is read once
something is wrong, and no name in it is ever taken for the key.
"""

import re
from functools import cache

from experiments.config.schema.models.applications import find_architecture

# Key -> other names for it; with a value: what the name by itself asks for.
_KEYS = {
    "model.weights": "pretrained_weights init_weights weights_path finetune_from",
    "model.freeze": "freeze_layers freeze_backbone frozen_layers freeze_at "
    "frozen_stages",
    "optimizer.lr": "learning_rate lr0 lrate base_lr init_lr initial_lr max_lr peak_lr "
    "lr_max eta alpha",
    "optimizer.layer_decay": "llrd layer_lr_decay layerwise_lr_decay lr_layer_decay",
    "optimizer.stem_lr_factor": "stem_lr_mult base_lr_mult backbone_lr_factor",
    "optimizer.lr_factors": "lr_mult lr_multipliers discriminative_lr paramwise_cfg",
    "trainer.phases": "training.phases phase stages freeze_epochs unfreeze",
    "optimizer.weight_decay": "wd decay l2 l2_reg weight_decay_rate regularization",
    "optimizer.beta_1": "betas",
    "optimizer.epsilon": "eps",
    "optimizer.momentum": "mom",
    "optimizer.clip_norm": "max_norm grad_norm",
    "optimizer.global_clip_norm": "max_grad_norm gradient_clip_val "
    "clip_grad grad_clip gradient_clip",
    "optimizer.ema_momentum": "ema ema_decay model_ema model_ema_decay use_ema",
    "optimizer": "opt optim optimiser",
    "schedule": "sched scheduler lr_scheduler lr_schedule",
    "schedule=cosine": "cos_lr use_cosine cosine_annealing",
    "schedule=one_cycle": "fit_one_cycle use_one_cycle",
    "schedule.warmup_epochs": "warmup warm_up warmup_steps",
    "schedule.warmup_start": "warmup_lr warmup_lr_init warmup_start_lr warmup_factor",
    "schedule.end_lr_fraction": "lrf final_lr_fraction min_lr eta_min end_lr final_lr",
    "schedule.factor": "gamma lr_gamma decay_rate",
    "schedule.every_epochs": "decay_epochs step_every lr_step_size",
    "loss": "criterion loss_fn loss_function objective",
    "loss.class_weight": "class_weights weights_of_classes",
    "loss.gamma": "focal_gamma",
    "loss.alpha": "focal_alpha",
    "loss.target_threshold": "bce_target_thresh",
    "trainer.epochs": "e epoch n_epoch n_epochs num_epochs num_epoch max_epochs "
    "nb_epoch nb_epochs num_train_epochs total_epochs",
    "trainer.batch_size": "b bs batch mini_batch minibatch_size train_batch "
    "train_batch_size per_device_train_batch_size",
    "trainer.accumulate_steps": "accumulate accumulate_grad_batches grad_accum "
    "gradient_accumulation_steps accumulation_steps accum_iter",
    "trainer.max_steps": "steps iterations max_iter total_steps num_steps",
    "trainer.max_steps_per_epoch": "steps_per_epoch limit_train_batches",
    "trainer.max_validation_steps": "validation_steps limit_val_batches",
    "trainer.max_minutes": "max_time time_limit timeout",
    "trainer.label_smoothing": "smoothing",
    "trainer.sampling": "sampler class_sampling weighted_sampler",
    "trainer.sampling=balanced": "balanced_sampling class_balanced oversample",
    "trainer.precision": "dtype mixed_precision policy",
    "trainer.precision=mixed_float16": "amp fp16 half",
    "trainer.precision=mixed_bfloat16": "bf16 bfloat16",
    "trainer.jit": "compile jit_compile xla",
    "trainer.threads": "num_threads cpu_threads",
    "trainer.deterministic": "deterministic_algorithms",
    "trainer.progress": "verbose verbosity progress_bar enable_progress_bar",
    "trainer.progress=off": "quiet silent",
    "trainer.monitor": "metric best_metric eval_metric",
    "trainer.overfit_batches": "overfit_n",
    "gpu": "device devices gpus gpu_id gpu_ids num_gpus n_gpus num_devices accelerator "
    "use_gpu",
    "gpu=cpu": "cpu no_cuda no_gpu disable_cuda use_cpu",
    "gpu=auto": "cuda use_cuda",
    "backend": "framework keras_backend",
    "hydra.sweeper.max_trials": "trials n_trials num_trials max_evals n_iter "
    "num_samples max_trial",
    "hydra.sweeper.repeats": "executions_per_trial execution_per_trial trial_seeds",
    "hydra.sweeper.max_retries": "max_retries_per_trial retries",
    "hydra.sweeper.oracle": "tuner tuner_class search_alg search_algorithm pruner",
    "hydra.sweeper.hyperband.iterations": "hyperband_iterations",
    "hydra.sweeper.bayesian.initial_points": "num_initial_points n_startup_trials",
    "hydra.sweeper.start_from_current": "points_to_evaluate enqueue_trial",
    "hydra.launcher.n_jobs": "jobs max_workers workers num_workers n_workers "
    "parallel parallel_jobs max_parallel",
    "seed": "s random_seed random_state manual_seed rng",
    "dataset": "d ds data",
    "dataset.path": "data_dir data_path dataset_path dataset_dir root data_root "
    "train_dir folder directory image_dir images_dir source",
    "dataset.table": "csv csv_file csv_path labels_csv labels_file annotations "
    "annotations_file annotation_file metadata dataframe df parquet",
    "dataset.path_column": "x_col filename_column file_column image_column img_col",
    "dataset.label_column": "y_col target_column class_column label_col",
    "dataset.split_column": "split_col fold_column",
    "dataset.weight_column": "sample_weight sample_weights weight_col",
    "dataset.label_delimiter": "label_delim label_separator label_sep",
    "dataset.group_column": "group_col groups patient_column",
    "dataset.image_size": "imgsz img_size imsize image_shape input_size target_size "
    "resolution size crop_size input_shape",
    "dataset.classes": "class_names",
    "dataset.validation_fraction": "validation_split val_split valid_pct val_fraction "
    "val_size valid_size",
    "dataset.fraction": "subset subset_fraction train_fraction data_fraction",
    "dataset.test_fraction": "test_split test_size test_pct",
    "dataset.decode_threads": "j workers num_workers n_workers dataloader_num_workers",
    "dataset.split_seed": "split_random_state",
    "input": "inputs image images img imgs photo photos file files input_path "
    "input_dir source folder directory image_dir images_dir",
    "run_id": "weights checkpoint ckpt ckpt_path model_path trained_model",
    "dataset.folds": "k_folds kfolds kfold n_splits n_folds num_folds cv",
    "augment": "augmentation augmentations aug transform transforms item_tfms "
    "batch_tfms aug_transforms",
    "augment=randaugment": "aa auto_augment autoaugment rand_augment",
    "augment=random_erasing": "reprob re_prob erasing random_erase cutout",
    "augment=mixup": "mixup_prob use_mixup",
    "augment=cutmix": "cutmix_prob use_cutmix",
    "augment.flip_crop.flip": "fliplr hflip horizontal_flip random_flip",
    "model": "m arch architecture net network backbone model_name",
    "model.depth": "layers num_layers n_layers",
    "model.dropout": "drop drop_rate dropout_rate p_drop",
    "model.width": "base_width",
    "model.activation": "act act_layer",
    "model.groups": "cardinality",
    "model.squeeze_excitation": "se_ratio se_reduction rd_ratio",
    "model.average_shortcut": "avg_down",
    "model.anti_aliasing": "aa_layer blur_pool antialias",
    "model.stochastic_depth": "drop_path drop_path_rate stochastic_depth_prob",
    "callbacks.early_stopping": "early_stop earlystop es",
    "callbacks.early_stopping.patience": "early_stopping_patience",
    "callbacks.checkpoint": "save_checkpoint model_checkpoint",
    "callbacks.checkpoint.every_epochs": "save_period save_every checkpoint_every "
    "save_freq",
    "output_dir": "o out output outdir out_dir outputs save_dir log_dir logdir "
    "default_root_dir results_dir checkpoint_dir",
    "name": "run_name exp_name",
    "tracking.experiment": "project experiment_name project_name",
    "tracking.uri": "tracking_uri mlflow_uri",
    "tracking": "logger logging log_to",
    "task.evaluate_test": "run_test",
    "fresh": "overwrite force restart exist_ok",
    "debug=one_step": "dry_run fast_dev_run smoke smoke_test",
    "debug=overfit": "overfit",
    "experiment": "preset recipe exp",
    "tags": "tag labels",
}
# Names whose values have another unit or form than those of the key.
_OTHER_VALUES = {"betas", "warmupsteps", "lrstepsize", "inputshape", "imageshape"}
_OTHER_VALUES |= {"warmuplr", "warmuplrinit", "warmupstartlr", "minlr", "etamin"}
_OTHER_VALUES |= {"endlr", "finallr", "itemtfms", "batchtfms"}
_OTHER_VALUES |= {"targetsize", "valsize", "validsize", "testsize"}
# Names after which the value is a number of devices, not the index of one.
_COUNTS = {"gpus", "devices", "numgpus", "ngpus", "numdevices"}
_GPU = re.compile(r"(?:cuda|gpu):(\d+)")
_ON, _OFF = {"true", "yes", "on", "y", "1"}, {"false", "no", "off", "n", "0", "none"}
# Key -> what others write there -> what is written here.
_VALUES = {
    "gpu": {"cuda": "auto", "gpu": "auto", "true": "auto", "none": "cpu", "-1": "all"},
    "trainer.precision": {
        **dict.fromkeys(
            ("16", "fp16", "float16", "16mixed", "half", "mixed", "amp", "true"),
            "mixed_float16",
        ),
        **dict.fromkeys(("bf16", "bfloat16", "bf16mixed"), "mixed_bfloat16"),
        **dict.fromkeys(("32", "fp32", "full", "single", "32true"), "float32"),
    },
    "backend": {"tf": "tensorflow", "keras": "tensorflow"},
    "task.split": {
        **dict.fromkeys(("val", "valid", "dev", "eval"), "validation"),
        "training": "train",
        "testing": "test",
    },
    "trainer.progress": {"0": "off", "1": "auto", "2": "plain", "true": "auto"},
    "trainer.monitor": {
        **dict.fromkeys(("acc", "accuracy", "val_acc", "valacc"), "val_accuracy"),
        **dict.fromkeys(("loss", "valid_loss"), "val_loss"),
    },
}
# Group -> what others call a file of it -> its name here.
_OPTIONS = {
    "task": {
        **dict.fromkeys(("fit", "training", "run", "start", "go"), "train"),
        **dict.fromkeys(("repeat", "rerun"), "reproduce"),
        **dict.fromkeys(("upload", "push"), "sync"),
        **dict.fromkeys(("inference", "infer", "classify"), "predict"),
        **dict.fromkeys(("lr_find", "lr_finder", "range_test", "tune_lr"), "find_lr"),
    },
    "tracking": {
        **dict.fromkeys(("none", "no", "false", "null", "disabled", "0"), "off"),
        **dict.fromkeys(("local", "mlflow", "true", "file", "db"), "sqlite"),
        "remote": "server",
    },
    "debug": {
        **dict.fromkeys(("true", "1", "yes", "on", "default", "fast"), "one_step"),
        "overfit_batches": "overfit",
    },
    "optimizer": {
        **{"adam_w": "adamw", "momentum": "sgd", "rms": "rmsprop"},
        **{"fusedlamb": "lamb", "adam_schedule_free": "schedule_free_adamw"},
        "schedule_free": "schedule_free_adamw",
    },
    "schedule": {
        **dict.fromkeys(("cosineannealinglr", "cosine_decay"), "cosine"),
        **dict.fromkeys(("multistep", "steplr", "multisteplr"), "step"),
        **dict.fromkeys(("linear", "poly"), "polynomial"),
        **dict.fromkeys(("onecyclelr", "superconvergence"), "one_cycle"),
        **dict.fromkeys(("sgdr", "cosineannealingwarmrestarts"), "cosine_restarts"),
        **dict.fromkeys(("exponentiallr", "exponential_decay"), "exponential"),
        **dict.fromkeys(("none", "no", "fixed"), "constant"),
    },
    "loss": {
        **dict.fromkeys(
            ("ce", "crossentropy", "categorical_crossentropy", "softmax", "nll"),
            "cross_entropy",
        ),
        **dict.fromkeys(
            ("sparse_categorical_crossentropy", "nllloss", "crossentropyloss"),
            "cross_entropy",
        ),
        **dict.fromkeys(
            ("bce", "bce_loss", "bcewithlogitsloss", "sigmoid", "binary_crossentropy"),
            "binary_cross_entropy",
        ),
        **dict.fromkeys(("focal_loss", "focalloss"), "focal"),
        **dict.fromkeys(("poly1", "polyloss"), "poly"),
    },
    "model": {
        **dict.fromkeys(("vit_b_16", "vit_base_patch16_224", "vit_b16"), "vit_base"),
        **dict.fromkeys(("vit_s_16", "vit_small_patch16_224"), "vit_small"),
        **dict.fromkeys(("vit_ti_16", "vit_tiny_patch16_224", "deit_tiny"), "vit_tiny"),
        "vit_base_patch16_224_in21k": "vit_base",
    },
    "dataset": {
        **dict.fromkeys(("cifar", "cifar_10"), "cifar10"),
        **dict.fromkeys(("imagefolder", "image_folder", "images", "custom"), "folder"),
        **dict.fromkeys(("fashionmnist", "fmnist"), "fashion_mnist"),
        **dict.fromkeys(("fake", "random", "fakedata"), "synthetic"),
        **dict.fromkeys(("imagenet1k", "ilsvrc2012"), "imagenet"),
    },
    "augment": {
        **dict.fromkeys(("no", "off", "false"), "none"),
        **dict.fromkeys(("flip", "crop", "standard", "default"), "flip_crop"),
        "random_resized_crop": "inception_crop",
    },
}
# What no key does, and what does it.
_NOTES = {
    "pretrained": "To begin with weights of before: model.weights=imagenet, run:last "
    "or a file.",
    **dict.fromkeys(
        ("resume", "resume_from", "continue", "ckpt_path", "resume_from_checkpoint"),
        "The same command continues a job that was stopped.",
    ),
    **dict.fromkeys(
        ("num_classes", "n_classes", "nb_classes"),
        "There are as many classes as the data set has.",
    ),
    "model.architecture": "They are listed in docs/models.md.",
    **dict.fromkeys(
        ("reducelronplateau", "lr_plateau"),
        "To lower the rate where nothing improves: 'callbacks=[default,plateau]'",
    ),
    **dict.fromkeys(
        ("kaggle", "roboflow", "download"),
        "Nothing is downloaded: dataset=folder dataset.path=... reads your own images.",
    ),
    "tensorboard": "To write its files: 'callbacks=[default,tensorboard]'",
    "wandb": "Runs are recorded as tracking= says: sqlite, server or off.",
    "search": "A search is a preset: -m experiment=search_resnet50",
    **dict.fromkeys(
        ("max_trials", "n_trials", "num_trials", "trials"),
        "A search has trials: -m hydra/sweeper=keras_tuner hydra.sweeper.max_trials=20",
    ),
    **dict.fromkeys(
        ("n_jobs", "jobs", "max_workers", "parallel_jobs"),
        "Jobs side by side: -m hydra/launcher=joblib hydra.launcher.n_jobs=2",
    ),
    "sweep": "To run several values: -m optimizer.lr=1e-3,1e-4",
    **dict.fromkeys(
        ("evaluate", "eval", "test", "validate", "val"),
        "To score a trained model: task=evaluate run_id=last",
    ),
    **dict.fromkeys(
        ("summary", "describe", "preview", "show", "check", "dry_run"),
        "To see what a training would do: task=inspect",
    ),
    **dict.fromkeys(
        ("auto_lr_find", "lr_find", "lr_finder", "find_lr"),
        "To find a learning rate: task=find_lr",
    ),
    **dict.fromkeys(
        ("cleanlab", "deduplicate", "duplicates", "labelerrors", "leaks"),
        "To see which labels are probably wrong, and copies: task=audit",
    ),
    **dict.fromkeys(
        ("health", "diagnose", "diagnostics", "env", "checkup", "selftest"),
        "To see what this machine lacks: task=doctor",
    ),
    **dict.fromkeys(
        ("server", "api", "endpoint", "rest", "http", "gradio", "demo", "webapp"),
        "To have a trained model answer over HTTP: task=serve run_id=last",
    ),
    **dict.fromkeys(
        ("onnx", "tflite", "litert", "savedmodel", "convert", "deploy", "torchscript"),
        "To write a trained model for other run times: task=export run_id=last",
    ),
    **dict.fromkeys(
        ("register", "registry", "champion", "production", "alias", "stage"),
        "To register a trained model: task=promote run_id=best registered_name=...",
    ),
    **dict.fromkeys(
        ("cam", "gradcam", "heatmap", "heatmaps", "saliency", "interpret", "xai"),
        "To see where in an image a model looks: task=explain run_id=last input=...",
    ),
}


def normalise(name: str) -> str:
    """Returns a name without case and what people join words with."""
    return re.sub(r"[-_ ]", "", name.lower())


def find_keys(name: str) -> list[str]:
    """Returns the keys, or keys with a value, that somebody calls by this name."""
    return _by_name().get(normalise(name), [])


def list_names() -> list[str]:
    """Returns all other names, normalised."""
    return list(_by_name())


def find_option(group: str, name: str) -> str | None:
    """Returns the file of a group that somebody calls by this name."""
    options = {normalise(k): v for k, v in _OPTIONS.get(group, {}).items()}
    return options.get(normalise(name))


def find_value(key: str, value: str, *, name: str = "") -> str | None:
    """Returns what a value of another project is called here; `None` if unknown.

    Args:
        key: That takes it.
        value: As typed.
        name: What the key was called; with some names nobody can tell: `...`.
    """
    if normalise(name) in _OTHER_VALUES:
        return "..."
    if key == "model.architecture":
        return find_architecture(value)
    value = value.lower()
    if key == "gpu" and normalise(name) in _COUNTS and value.isdigit():
        count = min(int(value), 64)
        many = f"[{','.join(map(str, range(count)))}]"
        return {0: "cpu", 1: "auto"}.get(count, many)
    if key == "gpu" and (index := _GPU.fullmatch(value)):
        return index[1]
    known = _VALUES.get(key, {})
    return known.get(value) or known.get(normalise(value))


def find_switch(value: str) -> bool | None:
    """Returns whether a word means on or off; `None` when it means neither."""
    word = value.lower()
    return True if word in _ON else False if word in _OFF else None


def find_note(name: str) -> str:
    """Returns what does the work of a key that does not exist; empty without one."""
    notes = {normalise(k): v for k, v in _NOTES.items()}
    return notes.get(normalise(name), "")


@cache
def _by_name() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, names in _KEYS.items():
        for name in names.split():
            found.setdefault(normalise(name), []).append(key)
    return found
