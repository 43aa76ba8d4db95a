"""Everything that gandist raises on purpose.

GandistError                one line for the user; ``exit_code`` is what the command line ends with
|-- UsageError       (2)    the input is wrong: nothing was written or started
|   |-- SpecError           a job file, or a --set override
|   `-- NotAJobError        a directory that is not a job directory
`-- RunError         (1)    the input is right, the run is not
    |-- DataError           a data set is missing or not what it says it is
    |   `-- UnavailableError    it cannot be had at the moment
    |-- StorageError        the storage refused
    |   `-- NotAFileError   what lies there is no file, or none of the job's
    |-- ClusterError        a Ray cluster cannot be reached, or refuses
    |-- ProcessError        this process computes with other devices or threads
    `-- CheckpointError     a checkpoint is missing, truncated, altered or of another trial
"""

from __future__ import annotations


class GandistError(Exception):
    """The root: its text is one line that names what, where, what is allowed and what to do."""

    exit_code = 1
    passes = True
    """Whether the same may succeed another time."""


class UsageError(GandistError):
    """The input is wrong; nothing was written or started."""

    exit_code = 2
    passes = False


class SpecError(UsageError):
    """A job file or an override is wrong.

    ``problems`` holds one line per mistake; the exception's text is those lines.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class NotAJobError(UsageError):
    """The directory holds no gandist job."""


class RunError(GandistError):
    """The input is right, but the run could not be done."""


class DataError(RunError):
    """A data set is missing, or not what its name says."""

    passes = False


class UnavailableError(DataError):
    """A data set cannot be had at the moment: its publisher does not answer, or a disk fails."""

    passes = True


class StorageError(RunError):
    """The storage refused, after retries."""


class NotAFileError(StorageError):
    """What lies there is no regular file, too large, or not the job's; waiting does not change that."""


class ClusterError(RunError):
    """A Ray cluster cannot be reached, or refuses what it is asked for."""


class ProcessError(RunError):
    """This process computes with other devices or threads, which TensorFlow sets once for its life."""

    passes = False


class CheckpointError(RunError):
    """A checkpoint cannot be used: missing, truncated, altered, or of another trial."""

    passes = False
