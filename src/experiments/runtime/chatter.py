"""What native libraries print, past every log level of theirs."""

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator

from experiments.errors import ExperimentError

log = logging.getLogger(__name__)


@contextlib.contextmanager
def without_chatter(what: str) -> Iterator[None]:
    """Keeps what native libraries print off the screen.

    TensorFlow and its converters write some lines whatever the log level is. They go to
    the job's log, and to the screen after all when that fails.

    Args:
        what: What goes on, in the log.
    """
    sys.stderr.flush()
    screen = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        failed = False
        try:
            yield
        except ExperimentError:  # explains itself
            raise
        except Exception:  # Ctrl-C is no reason to show them
            failed = True
            raise
        finally:
            sys.stderr.flush()
            os.dup2(screen, 2)
            os.close(screen)
            kept.seek(0)
            text = kept.read().decode(errors="replace").strip()
            if text and failed:
                print(text, file=sys.stderr)
            elif text:
                log.info("%s:\n%s", what, text)
