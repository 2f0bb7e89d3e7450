"""The variables of this process that a test's git would inherit and read."""

from __future__ import annotations

import os
import re

_READ_BY_GIT = re.compile(r"GIT_(?!SSL_CA)|SSH_|GPG_|GNUPG|XDG_|EDITOR|VISUAL|PAGER|HOMELAB_|\w+_(proxy|PROXY)$")
"""the locale is not in it, because a test's environment sets LC_ALL; no test's server has a public certificate"""


def inherited_by_git() -> dict[str, str]:
    """Return what `GitPythonRunner` has to remove: git takes no notice of the rest.

    GitPython cannot remove a variable, and env(1), which can, takes as long as git itself: a landing starts sixty.
    """
    return {name: value for name, value in os.environ.items() if _READ_BY_GIT.match(name)}
