"""The environment variables that hold tokens."""

from __future__ import annotations

CI_TOKEN_VARIABLES = ("WOODPECKER_TOKEN", "WP_TOKEN")
FORGE_TOKEN_VARIABLES = ("HOMELAB_FORGE_TOKEN", "FORGEJO_TOKEN", "GITEA_TOKEN", "GH_TOKEN", "GITHUB_TOKEN")
