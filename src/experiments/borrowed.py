"""Every private name of a library that this project reaches for or replaces.

A release may take any of them away without a word. A test resolves each one against
the installed libraries and finds whatever is reached for and not listed here, so that
an upgrade fails in one place and says what is meant to be done about it.

To borrow is the last resort: where a library has a public way, that one is taken.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Loan:
    """Names of one lender that are borrowed for one purpose.

    Attributes:
        lender: Dotted path of the module or the class that has them.
        names: Private ones; public ones too where what they mean is not documented or
            where they are replaced.
        borrowers: Our modules that use them, without `experiments.`.
        purpose: What they are for.
        way_out: What to do when they are gone.
    """

    lender: str
    names: tuple[str, ...]
    borrowers: tuple[str, ...]
    purpose: str
    way_out: str


_KERAS = (
    Loan(
        lender="keras.src.applications.resnet",
        names=("BASE_WEIGHTS_PATH", "WEIGHTS_HASHES"),
        borrowers=("weights.imagenet",),
        purpose="Tells where Keras' own weights are, and their checksums.",
        way_out="Build `keras.applications.ResNet50`, which downloads them, and say "
        "less where there is no network.",
    ),
    Loan(
        lender="keras.src.utils.file_utils",
        names=("get_file",),
        borrowers=("weights.imagenet",),
        purpose="Follows what Keras' networks download, to say what could not be.",
        way_out="Pass Keras' own message on, which has the address.",
    ),
    Loan(
        lender="keras.src.backend.common.global_state",
        names=("get_global_attribute", "set_global_attribute"),
        borrowers=("models.keras_application",),
        purpose="Begins the numbers of unnamed layers anew, so that weights find them.",
        way_out="Give the layers of a built network other names by "
        "`keras.models.clone_model`.",
    ),
    Loan(
        lender="keras.optimizers.Optimizer",
        names=("_backend_update_step", "_get_variable_index"),
        borrowers=(
            "speedups.fused",
            "training.optimizers.lamb",
            "training.optimizers.schedule_free",
        ),
        purpose="Updates a variable by one operation of TensorFlow.",
        way_out="Let `fuse_updates` return False: Keras' own update gives the same.",
    ),
    Loan(
        lender="keras.optimizers.Optimizer",
        names=(
            "_apply_weight_decay",
            "_backend_update_step",
            "_get_current_learning_rate",
            "_get_variable_index",
        ),
        borrowers=("training.optimizers.layer_rates",),
        purpose="Gives each variable a rate of its own, in its update and its decay.",
        way_out="Refuse `optimizer.layer_decay` and `optimizer.lr_factors`.",
    ),
    Loan(
        lender="keras.optimizers.Adam",
        names=("_momentums", "_velocities"),
        borrowers=("speedups.fused",),
        purpose="The slots that this operation writes into.",
        way_out="As above.",
    ),
    Loan(
        lender="keras.optimizers.Optimizer",
        names=(
            "_model_variables_moving_average",
            "_overwrite_model_variables_with_average_value",
        ),
        borrowers=("training.optimizers.averaging",),
        purpose="Ends a training with copies of the averages, also on JAX.",
        way_out="See whether Keras copies there by now; else refuse averages on JAX.",
    ),
    Loan(
        lender="keras.optimizers.Optimizer",
        names=("_apply_weight_decay", "_use_weight_decay"),
        borrowers=(
            "training.optimizers.adaptive",
            "training.optimizers.lamb",
            "training.optimizers.schedule_free",
        ),
        purpose="Has the decay inside of an update, and knows what is spared.",
        way_out="Give both the decay under another name, and the spared variables.",
    ),
    Loan(
        lender="keras.callbacks.SwapEMAWeights",
        names=("_tf_swap_variables",),
        borrowers=("training.optimizers.averaging",),
        purpose="Swaps weights and averages without rounding.",
        way_out="See whether Keras swaps exactly by now; else override what does it.",
    ),
    Loan(
        lender="keras.optimizers.Optimizer",
        names=(
            "_distribution_strategy",
            "_model_variables_moving_average",
            "_trainable_variables",
        ),
        borrowers=("training.optimizers.averaging",),
        purpose="What this swap goes over, also on several GPUs.",
        way_out="As above.",
    ),
    Loan(
        lender="keras.optimizers.Optimizer",
        names=("_learning_rate",),
        borrowers=("training.callbacks.monitors", "training.callbacks.plateau"),
        purpose="The schedule itself; `learning_rate` gives the next step's number.",
        way_out="Keep the schedule where `build_optimizer` makes it, and hand it on.",
    ),
    Loan(
        lender="keras.callbacks.CallbackList",
        names=("_flush_futures",),
        borrowers=("training.loop.chain",),
        purpose="Waits until callbacks that run in a thread have seen all steps.",
        way_out="Give the chain no such thread: no callback says `async_safe`.",
    ),
    Loan(
        lender="keras.callbacks.EarlyStopping",
        names=("_is_improvement",),
        borrowers=("training.callbacks.early_stopping",),
        purpose="Judges by `Objective`, for which nothing that is not finite is best.",
        way_out="Write the callback out, as `plateau` is.",
    ),
    Loan(
        lender="keras.Model",
        names=("_loss_tracker", "train_step"),
        borrowers=("training.loop.micro_batches",),
        purpose="Trains on a batch in parts and counts its loss once.",
        way_out="Compute the loss's metric in a `keras.metrics.Mean` of our own.",
    ),
    Loan(
        lender="keras.Model",
        names=("_aggregate_additional_loss", "compute_loss"),
        borrowers=("training.losses",),
        purpose="Trains on a smoothed loss and evaluates by the plain one.",
        way_out="Use a subclass of `keras.Model`, which changes what is saved; divide "
        "the layers' losses by the replicas.",
    ),
    Loan(
        lender="keras.src.backend.jax.trainer.JAXTrainer",
        names=(
            "_get_state_sharding_spec",
            "_make_function",
            "_update_metrics_variables",
            "compute_loss_and_updates",
            "make_train_function",
        ),
        borrowers=("training.loop.jax_micro_batches",),
        purpose="Compiles the parts of a step one by one.",
        way_out="Refuse trainer.accumulate_steps above 1 on JAX.",
    ),
    Loan(
        lender="keras.src.backend.jax.trainer",
        names=("_distribute_data", "JAXEpochIterator"),
        borrowers=("speedups.scope",),
        purpose="Lets devices share batches that they cannot share evenly.",
        way_out="See whether Keras does by now; else refuse several GPUs on JAX.",
    ),
    Loan(
        lender="keras.src.backend.jax.trainer.JAXEpochIterator",
        names=("_get_distributed_iterator",),
        borrowers=("speedups.scope",),
        purpose="As above.",
        way_out="As above.",
    ),
    Loan(
        lender="keras.layers.Conv2D",
        names=("convolution_op",),
        borrowers=("speedups.convolution", "speedups.grouped"),
        purpose="Computes small maps as one product, and groups one by one.",
        way_out="Set trainer.lowered_convolutions to false: the sums are the same.",
    ),
    Loan(
        lender="keras.layers.BatchNormalization",
        names=("call",),
        borrowers=("speedups.batch_norm",),
        purpose="Passes over the maps fewer times.",
        way_out="Set trainer.fused_batch_norm to false: the sums are the same.",
    ),
)

_TENSORFLOW = (
    Loan(
        lender="tensorflow.python.eager.polymorphic_function.polymorphic_function",
        names=("_FrequentTracingDetectorManager", "_frequent_tracing_detector_manager"),
        borrowers=("training.loop.tracings",),
        purpose="Compiles a model for each phase without a warning of TensorFlow's.",
        way_out="Leave it out: a run of phases with short epochs shows the warning.",
    ),
    Loan(
        lender="tensorflow.python.framework.ops",
        names=("gradient_registry",),
        borrowers=("speedups.gradients",),
        purpose="Frees the gradients that TensorFlow keeps of earlier models.",
        way_out="Leave it out: a sweep in one process then grows by 17 MB a job.",
    ),
    Loan(
        lender="tensorflow.python.framework.registry.Registry",
        names=("_registry",),
        borrowers=("speedups.gradients",),
        purpose="As above.",
        way_out="As above.",
    ),
)

_HYDRA = (
    Loan(
        lender="hydra._internal.utils",
        names=(
            "create_automatic_config_search_path",
            "create_config_search_path",
            "detect_calling_file_or_module_from_task_function",
            "detect_task_name",
            "get_args_parser",
        ),
        borrowers=(
            "command.composing.composed",
            "command.hydra_node.flags",
            "command.plan",
        ),
        purpose="Reads the command line and finds the configs as `hydra.main` does.",
        way_out="Look how `hydra.main` does it by now: it has no public parts.",
    ),
    Loan(
        lender="hydra._internal.hydra",
        names=("Hydra",),
        borrowers=("command.composing.loader",),
        purpose="Runs what was checked, instead of composing it again.",
        way_out="Look what `hydra.main` runs by now.",
    ),
    Loan(
        lender="hydra._internal.config_loader_impl",
        names=("ConfigLoaderImpl",),
        borrowers=("command.composing.loader",),
        purpose="Composes as Hydra does, and is asked what it composed.",
        way_out="Look what implements `hydra.core.config_loader.ConfigLoader` by now.",
    ),
    Loan(
        lender="hydra._internal.config_loader_impl.ConfigLoaderImpl",
        names=(
            "_apply_overrides_to_config",
            "_compose_config_from_defaults_list",
            "_load_configuration_impl",
            "_load_single_config",
            "_parse_overrides_and_create_caching_repo",
            "_process_config_searchpath",
        ),
        borrowers=(
            "command.composing.composer",
            "command.answers.diagnosis",
            "command.composing.loader",
        ),
        purpose="Steps of composing: checked, remembered, or taken alone.",
        way_out="Look into what steps it composes by now; tests say what each must do.",
    ),
    Loan(
        lender="hydra._internal.config_repository",
        names=("CachingConfigRepository", "ConfigRepository", "IConfigRepository"),
        borrowers=(
            "command.help",
            "command.composing.loader",
            "command.config_folders.machine_configs",
            "command.answers.owners",
            "command.answers.suggestion",
        ),
        purpose="Reads each file once, and tells which groups and options there are.",
        way_out="Ask `hydra.core.plugins.Plugins` for config sources, one folder each.",
    ),
    Loan(
        lender="hydra._internal.config_repository.ConfigRepository",
        names=("_find_object_source",),
        borrowers=("command.composing.loader",),
        purpose="Finds the file of a config before it is read, to refuse a huge one.",
        way_out="Look through the sources in their order.",
    ),
    Loan(
        lender="hydra.plugins.config_source.ConfigSource",
        names=("_normalize_file_name",),
        borrowers=("command.composing.loader",),
        purpose="The name of that file.",
        way_out="Add .yaml where there is no extension.",
    ),
    Loan(
        lender="hydra._internal.defaults_list",
        names=("DefaultsList", "create_defaults_list"),
        borrowers=("command.composing.loader",),
        purpose="Finds which files a config is made of once for all jobs of a sweep.",
        way_out="Leave `_list_files` out: a sweep's check takes three times as long.",
    ),
    Loan(
        lender="hydra._internal.core_plugins.basic_sweeper",
        names=("BasicSweeper", "OmegaConf"),
        borrowers=(
            "config.code.authority",
            "command.hydra_node.files",
            "command.sweeping.pairs",
        ),
        purpose="Lists a sweep's jobs; its `multirun.yaml` is written without secrets.",
        way_out="Look what `hydra/sweeper=basic` names by now.",
    ),
    Loan(
        lender="hydra._internal.core_plugins.basic_launcher",
        names=("BasicLauncher",),
        borrowers=("command.hydra_node.launcher", "config.code.authority"),
        purpose="Hydra's own sweeper and launcher are what a config may name unasked.",
        way_out="Look what `hydra/launcher=basic` names by now.",
    ),
    Loan(
        lender="hydra.core.utils",
        names=("_save_config",),
        borrowers=("command.hydra_node.files",),
        purpose="Writes `.hydra/` without secrets.",
        way_out="Set hydra.output_subdir=null and write the files in `run_job`.",
    ),
    Loan(
        lender="hydra.core.override_parser.types.Override",
        names=("_convert_value", "_value"),
        borrowers=(
            "command.composing.loader",
            "command.config_folders.permission",
            "command.answers.provenance",
            "command.typed.typed_text",
        ),
        purpose="Takes `group=[file]` apart, and the choices of a swept list.",
        way_out="Parse the override's own words again.",
    ),
)

_OMEGACONF = (
    Loan(
        lender="omegaconf.DictConfig",
        names=("_content", "_get_node", "_is_missing", "_is_none"),
        borrowers=(
            "command.completion.candidates",
            "command.completion.choices",
            "command.composing.composer",
            "command.answers.diagnosis",
            "command.hydra_node.surroundings",
            "command.answers.owners",
            "command.config_folders.permission",
            "command.answers.provenance",
            "command.answers.suggestion",
        ),
        purpose="Looks at a value as it is written, without what it interpolates.",
        way_out="Take `OmegaConf.to_container(resolve=False)` and look in there.",
    ),
    Loan(
        lender="omegaconf.Node",
        names=("_value",),
        borrowers=(
            "command.config_folders.permission",
            "command.hydra_node.surroundings",
        ),
        purpose="As above.",
        way_out="As above.",
    ),
)

_KERAS_TUNER = (
    Loan(
        lender="keras_tuner.Oracle",
        names=(
            "_check_consecutive_failures",
            "_duplicate",
            "_random_values",
            "_save_trial",
            "_seed_state",
            "_tried_so_far",
        ),
        borrowers=("search.oracle.oracles",),
        purpose="Draws reproducibly, writes no files and goes on after failures.",
        way_out="Look into `oracle.py`: `tests/search` says what must come out.",
    ),
    Loan(
        lender="keras_tuner.oracles.BayesianOptimizationOracle",
        names=(
            "_make_gpr",
            "_random_populate_space",
            "_random_state",
            "_vectorize_trials",
        ),
        borrowers=("search.oracle.oracles",),
        purpose="Models failures as bad ones, and never proposes a trial twice.",
        way_out="Write the proposal out: a Gaussian process and its lower bound.",
    ),
    Loan(
        lender="keras_tuner.oracles.GridSearchOracle",
        names=("_populate_next",),
        borrowers=("search.oracle.oracles",),
        purpose="Proposes the next point before the last one has ended.",
        way_out="Count through the grid: `itertools.product` over the space.",
    ),
    Loan(
        lender="keras_tuner.oracles.HyperbandOracle",
        names=("_brackets",),
        borrowers=("search.oracle.proposer",),
        purpose="Tells which trials may still be continued, and keep their weights.",
        way_out="Keep the weights of all trials: more disk, the same results.",
    ),
    Loan(
        lender="keras_tuner.HyperParameters",
        names=("_hps", "_space"),
        borrowers=("search.oracle.oracles",),
        purpose="Lets ended trials share the space instead of a copy each.",
        way_out="Leave it out: a long search takes more memory.",
    ),
)

_OTHERS = (
    Loan(
        lender="sklearn.gaussian_process.GaussianProcessRegressor",
        names=("_y_train_mean", "_y_train_std"),
        borrowers=("search.oracle.oracles",),
        purpose="Predicts without the checks that take most of the time.",
        way_out="Leave `_Process.predict` out: proposals take three times as long.",
    ),
    Loan(
        lender="mlflow.store.db.utils",
        names=("_initialize_tables", "_upgrade_db"),
        borrowers=(
            "tracking.store.databases.database",
            "tracking.store.databases.schema",
        ),
        purpose="Creates and upgrades the database while nobody else has it open.",
        way_out="Run `mlflow db upgrade`, which takes seconds more.",
    ),
    Loan(
        lender="numpy",
        names=("_core",),
        borrowers=("data.arrays.array_pickle",),
        purpose="The module by which NumPy 2 names an array that it pickles.",
        way_out="See which module it names by now, and accept both.",
    ),
    Loan(
        lender="argparse.ArgumentParser",
        names=("_actions", "_option_string_actions"),
        borrowers=(
            "command.completion.candidates",
            "command.hydra_node.flags",
            "command.answers.mistyped_flags",
        ),
        purpose="Lists the flags that Hydra's parser knows.",
        way_out="Read them from its help, or name them in a table.",
    ),
    Loan(
        lender="logging",
        names=("_handlerList",),
        borrowers=("screen",),
        purpose="Hides secrets in what every handler writes.",
        way_out="Go through the handlers of `logging.root.manager.loggerDict`.",
    ),
)

LOANS = (*_KERAS, *_TENSORFLOW, *_HYDRA, *_OMEGACONF, *_KERAS_TUNER, *_OTHERS)
