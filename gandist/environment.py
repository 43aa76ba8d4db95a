"""What of the user's environment reaches gandist's processes: decided here and nowhere else.

Numbers, and whether a job runs at all, depend on the job and the device, not on what somebody has set for
other programs. What the libraries beneath would read is taken out or set before they are imported; what has
been read already is refused by its name.

The imports at the top are of what Python itself has loaded when it starts: until ``take_over`` has run, any
other name might be found in the current directory. So ``os.path`` stands where pathlib would.
"""

import os
import sys

PINNED = {
    "KERAS_BACKEND": "tensorflow",
    "KERAS_HOME": os.devnull,  # holds no keras.json, and none can be written there
    "MATPLOTLIBRC": os.devnull,
    "MPLBACKEND": "agg",
    "OMP_NUM_THREADS": "1",  # NumPy's sums depend on the number of threads; Ray sets that to a trial's CPUs
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
}
"""Set in gandist's own processes, whatever they were before."""

UNSET = (
    *("TF_", "XLA_", "ONEDNN_", "DNNL_", "CUBLAS_", "CUDNN_", "NCCL_ALGO", "NCCL_PROTO", "NVIDIA_TF32_"),
    *("KERAS_", "MPLBACKEND", "MATPLOTLIBRC"),
    *("NPY_", "OPENBLAS_", "GOTO_", "MKL_", "OMP_", "KMP_", "VECLIB_", "BLIS_"),
)
"""How the names of variables begin that libraries read, and that change numbers or break them. Each library's
own default holds instead; oneDNN's depends on the processor alone."""
KEPT = ("TF_CPP_",)
"""What is logged."""

READ_ON_IMPORT = ("TF_ENABLE_ONEDNN_OPTS", "TF_XLA_FLAGS", "XLA_FLAGS", "NVIDIA_TF32_OVERRIDE")
"""By TensorFlow: too late to take out once it is loaded."""


def pin() -> None:
    """Take out of the environment what would change numbers, in a process that uses gandist as a library.

    Raises:
        UsageError: TensorFlow is loaded already, and has read some of it.
    """
    if "tensorflow" in sys.modules:
        for name in READ_ON_IMPORT:
            if name in os.environ:
                from gandist.errors import UsageError

                raise UsageError(
                    f"{name}={os.environ[name]}: TensorFlow has read it already, and it changes numbers: "
                    "unset it, or import gandist.training before tensorflow, which then ignores it"
                )
    of_matplotlib = ("MPLBACKEND", "MATPLOTLIBRC")  # a notebook draws by them
    set_variables(but_for=of_matplotlib)


def take_over() -> None:
    """Make this process gandist's own: called first of all by the command line and by Ray's actors."""
    _leave_out_current_directory()
    set_variables()
    _forget_remarks()
    if os.path.lexists("matplotlibrc"):
        _import_elsewhere("matplotlib")


def set_variables(but_for: tuple[str, ...] = ()) -> None:
    """As ``PINNED`` and ``UNSET`` say, but for those named."""
    for name in list(os.environ):
        if name.startswith(UNSET) and not name.startswith((*KEPT, *but_for)):
            del os.environ[name]
    os.environ.update({name: value for name, value in PINNED.items() if name not in but_for})
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _leave_out_current_directory() -> None:
    """Never import from it, here or in processes that are started from here.

    ``python -m`` puts it on the path, and so does an empty entry of ``PYTHONPATH``. Directories that this
    names are honoured, the current one only by its full path.
    """
    try:
        here = os.getcwd()
    except OSError:  # it is gone, and so are its modules
        return

    def is_here(entry: str) -> bool:
        return os.path.abspath(entry) == here

    given = os.environ.pop("PYTHONPATH", "").split(os.pathsep)
    named = [os.path.abspath(entry) for entry in given if os.path.isabs(entry) or not is_here(entry)]
    if named:
        os.environ["PYTHONPATH"] = os.pathsep.join(named)
    os.environ["PYTHONSAFEPATH"] = "1"
    # After the standard library comes what is installed; of a checkout, this may be the current directory.
    library = os.path.dirname(os.__file__)
    before = sys.path.index(library) if library in sys.path else len(sys.path)
    sys.path[:before] = [entry for entry in sys.path[:before] if entry in named or not is_here(entry)]


def _forget_remarks() -> None:
    """``PYTHONWARNINGS=error`` would end a run at a library's remark; matplotlib's are of its cache."""
    import logging
    import warnings

    os.environ.pop("PYTHONWARNINGS", None)
    if sys.warnoptions:
        sys.warnoptions.clear()
        warnings.simplefilter("ignore")
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


def _import_elsewhere(module: str) -> None:
    """Import a module that reads a file of the current directory while another is the current one."""
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(os.path.dirname(__file__))
        __import__(module)
    finally:
        os.fchdir(here)
        os.close(here)
