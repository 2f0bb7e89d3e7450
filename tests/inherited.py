"""The variables of this process that a test's git would inherit and read."""

from __future__ import annotations

import os
import re

_NOT_IGNORED = re.compile(
    r"GIT_(?!SSL_CA)|SSH_|GPG_|GNUPG|XDG_|EDITOR|VISUAL|PAGER|\w+_(proxy|PROXY)$|HOMELAB_|WOODPECKER_|WP_|VAULT_"
)
"""what git reads, and our tokens; not the locale, which each test sets, nor certificates of public servers"""


def inherited_by_git() -> dict[str, str]:
    """Return what `GitPythonRunner` has to remove: neither git nor a test takes notice of the rest.

    GitPython cannot remove a variable, and env(1), which can, takes as long as git itself: a landing starts sixty.
    """
    return {name: value for name, value in os.environ.items() if _NOT_IGNORED.match(name)}
