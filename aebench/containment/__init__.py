"""Running code that may crash, hang or devour memory, in a child process that is replaced when it does.

    this process ── fork server ── child

The fork server is a process of one thread, which has imported all that is needed and only waits to be told to fork: a
new child costs milliseconds. This process, which may have threads, is never forked. Calls and results are pickled over
private sockets between these three processes, which are one program, and what is at stake through memory that only they
have (`cell`); nothing pickled is ever read from a file that has a name. Nothing outlives its parent: the fork server
ends, and ends its child, when this process's end of the socket closes, and the kernel kills the child when the fork
server dies.
"""

from aebench.containment.limits import Limits
from aebench.containment.process import ChildDeathError, ChildProcess

__all__ = ["ChildDeathError", "ChildProcess", "Limits"]
