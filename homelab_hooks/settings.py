"""Every setting in one table: its names in each source, how it is read, and its default (contract, section 2)."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

from homelab_hooks import durations, readings
from homelab_hooks.server import parse_dial, parse_server


class Output(StrEnum):
    """How progress and result are shown."""

    AUTO = "auto"
    LIVE = "live"
    PLAIN = "plain"
    JSON = "json"


class Setting(NamedTuple):
    """One row of the table of contract section 2; an empty name means that this source may not give it."""

    name: str
    what: str
    read: Callable[[str], Any]
    option: str = ""
    metavar: str = ""
    env: tuple[str, ...] = ()
    git: str = ""
    tracked: str = ""
    default: str = ""
    default_text: str = ""
    """what stands for the default where it is found out later"""
    many: bool = False
    empty: Any = ""
    """its value where nothing says one; of many there are none then"""


SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="server", what="the Woodpecker server", read=parse_server, option="--server", metavar="URL", empty=None,
        env=("WOODPECKER_SERVER",), git="homelab.ciServer", default_text="woodpecker-cli's current context",
    ),
    Setting(
        name="dial", what="connect to this address, the server's name kept", read=parse_dial, option="--dial",
        metavar="IP[:PORT]", env=("HOMELAB_CI_DIAL",), git="homelab.ciDial", default_text="DNS", empty=None,
    ),
    Setting(
        name="ca_file", what="trust anchors for the server", read=readings.path, option="--ca-file", metavar="PATH",
        env=("SSL_CERT_FILE",), git="homelab.ciCaFile", default_text="the system's trust store",
        empty=None,
    ),
    Setting(
        name="repo", what="the repository's name in CI", read=readings.full_name, option="--repo", metavar="OWNER/NAME",
        env=("HOMELAB_CI_REPO",), git="homelab.ciRepo", tracked="repo", default_text="from the remotes' push URLs",
    ),
    Setting(
        name="remote", what="which remote is meant", read=readings.ref, option="--remote", metavar="NAME",
        env=("HOMELAB_REMOTE",), git="homelab.remote",
        default_text="pushRemote, remote.pushDefault, forgejo, origin, the only one",
    ),
    Setting(
        name="onto", what="the target branch", read=readings.ref, option="--onto", metavar="BRANCH",
        env=("HOMELAB_TARGET",), git="homelab.target", tracked="target", default_text="the remote's HEAD branch",
    ),
    Setting(
        name="verify", what="the verification command", read=str, option="--verify-cmd", metavar="CMD",
        env=("HOMELAB_VERIFY",), git="homelab.verify", tracked="verify", default_text="found out by itself",
    ),
    Setting(
        name="deploy", what="workloads to wait for", read=readings.workload, option="--deploy", metavar="TARGET",
        many=True, env=("HOMELAB_DEPLOY",), git="homelab.deploy", tracked="deploy", default_text="none",
    ),
    Setting(
        name="timeout", what="how long CI may take", read=durations.parse, option="--timeout", metavar="DUR",
        env=("HOMELAB_TIMEOUT",), git="homelab.timeout", tracked="timeout", default="60m",
    ),
    Setting(
        name="appear_timeout", what="how long a pipeline may take to appear", read=durations.parse,
        option="--appear-timeout", metavar="DUR", env=("HOMELAB_APPEAR_TIMEOUT",), git="homelab.appearTimeout",
        tracked="appear-timeout", default="2m",
    ),
    Setting(
        name="unreachable_timeout", what="how long a server may be out of reach", read=durations.parse,
        option="--unreachable-timeout", metavar="DUR", env=("HOMELAB_UNREACHABLE_TIMEOUT",),
        git="homelab.unreachableTimeout", default="3m",
    ),
    Setting(
        name="rollout_timeout", what="how long a rollout may take", read=durations.parse, option="--rollout-timeout",
        metavar="DUR", env=("HOMELAB_ROLLOUT_TIMEOUT",), git="homelab.rolloutTimeout", tracked="rollout-timeout",
        default="15m",
    ),
    Setting(
        name="settle", what="how long a rollout must stay done", read=durations.parse, option="--settle",
        metavar="DUR", env=("HOMELAB_SETTLE",), git="homelab.settle", tracked="settle", default="5s",
    ),
    Setting(
        name="output", what="how to show progress and result", read=lambda text: Output(readings.choice(*Output)(text)),
        option="--output", metavar="auto|live|plain|json", env=("HOMELAB_OUTPUT",), git="homelab.output",
        default="auto",
    ),
    Setting(
        name="vault_addr", what="the Vault server", read=parse_server, env=("VAULT_ADDR",), git="homelab.vaultAddr",
        default_text="Vault is not asked", empty=None,
    ),
    Setting(
        name="vault_namespace", what="the Vault namespace", read=str, env=("VAULT_NAMESPACE",), default_text="none",
    ),
    Setting(
        name="vault_ca", what="trust anchors for Vault", read=readings.path, env=("VAULT_CACERT",),
        default_text="the system's trust store", empty=None,
    ),
    Setting(
        name="vault_path", what="the secret with CI's token", read=readings.secret, env=("HOMELAB_VAULT_PATH",),
        git="homelab.vaultPath", default="secret/ci/global",
    ),
    Setting(
        name="vault_field", what="its field", read=str, env=("HOMELAB_VAULT_FIELD",), git="homelab.vaultField",
        default="woodpecker_api_token",
    ),
    Setting(
        name="vault_dial", what="connect to Vault at this address", read=parse_dial, env=("HOMELAB_VAULT_DIAL",),
        git="homelab.vaultDial", default_text="DNS", empty=None,
    ),
    Setting(
        name="post_push", what="what a plain `git push` does afterwards",
        read=readings.choice("foreground", "background", "off"), git="homelab.postPush",
        default_text="foreground on a terminal, else background",
    ),
    Setting(
        name="notify", what="the command that hears how a watch in the background ended", read=str,
        env=("HOMELAB_NOTIFY",), git="homelab.notify", default_text="bell and title of the terminal, notify-send",
    ),
)  # fmt: skip
