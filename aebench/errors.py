"""The one tree of errors that aebench raises.

Every message says what was wrong, where, and what to do about it: the command line prints it as it is and exits with 2.
"""


class Error(Exception):
    """Root of every error that aebench raises on purpose."""


class SettingError(Error):
    """A codec name, parameter or value that does not exist, or text that does not follow the setting grammar."""


class JobError(Error):
    """A job file, or a value given in its place on the command line, that cannot be run."""


class ImageError(Error):
    """One image that cannot be read as 8-bit RGB."""


class ImageSetError(Error):
    """An image set that does not exist, is empty, or cannot be fetched."""


class CodecError(Error):
    """A codec that refused an image or could not decode the bytes it was given."""


class WeightsError(Error):
    """Weights that are missing, damaged, or belong to another network."""


class ResultsError(Error):
    """A run folder that is missing, damaged, or holds something other than what is asked of it."""


class ClusterError(Error):
    """Ray that could not be started or reached, or a job that failed on it."""


class ContainmentError(Error):
    """A process to measure in that could not be started."""


class BdRateError(Error):
    """Rate-distortion curves between which BD-rate or BD-PSNR would not be a fair number."""
