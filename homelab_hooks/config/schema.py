"""The table of settings: the name in each source, the parser, and the default (contract, section 2)."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

from homelab_hooks.config import parsers
from homelab_hooks.config.address import parse_dial, parse_server_url
from homelab_hooks.text import durations


class OutputMode(StrEnum):
    """How progress and result are displayed."""

    AUTO = "auto"
    LIVE = "live"
    PLAIN = "plain"
    JSON = "json"


class Setting(NamedTuple):
    """A setting (contract, section 2). A source whose name is empty cannot set it."""

    name: str
    description: str
    parse: Callable[[str], Any]
    option: str = ""
    metavar: str = ""
    env: tuple[str, ...] = ()
    git: str = ""
    tracked: str = ""
    default: str = ""
    default_label: str = ""
    """the text for a default that is determined later"""
    is_list: bool = False
    unset_value: Any = ""
    """its value if no source sets it; a list is empty then"""


SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="server", description="the Woodpecker server", parse=parse_server_url, option="--server", metavar="URL",
        unset_value=None,
        env=("WOODPECKER_SERVER",), git="homelab.ciServer", default_label="woodpecker-cli's current context",
    ),
    Setting(
        name="dial", description="connect to this address, keeping the server's name", parse=parse_dial,
        option="--dial",
        metavar="IP[:PORT]", env=("HOMELAB_CI_DIAL",), git="homelab.ciDial", default_label="DNS", unset_value=None,
    ),
    Setting(
        name="ca_file", description="CA certificates for the server", parse=parsers.parse_path, option="--ca-file",
        metavar="PATH",
        env=("SSL_CERT_FILE",), git="homelab.ciCaFile", default_label="the system's trust store",
        unset_value=None,
    ),
    Setting(
        name="repo", description="the repository in CI", parse=parsers.parse_repo_name, option="--repo",
        metavar="OWNER/NAME",
        env=("HOMELAB_CI_REPO",), git="homelab.ciRepo", tracked="repo", default_label="from the remotes' push URLs",
    ),
    Setting(
        name="remote", description="the remote to push to", parse=parsers.parse_ref_name, option="--remote",
        metavar="NAME",
        env=("HOMELAB_REMOTE",), git="homelab.remote",
        default_label="pushRemote, remote.pushDefault, forgejo, origin, the only one",
    ),
    Setting(
        name="onto", description="the target branch", parse=parsers.parse_ref_name, option="--onto", metavar="BRANCH",
        env=("HOMELAB_TARGET",), git="homelab.target", tracked="target", default_label="the remote's HEAD branch",
    ),
    Setting(
        name="verify", description="the command that verifies a landing", parse=str, option="--verify-cmd",
        metavar="CMD",
        env=("HOMELAB_VERIFY",), git="homelab.verify", tracked="verify", default_label="detected",
    ),
    Setting(
        name="deploy", description="workloads to wait for", parse=parsers.parse_workload, option="--deploy",
        metavar="TARGET",
        is_list=True, env=("HOMELAB_DEPLOY",), git="homelab.deploy", tracked="deploy", default_label="none",
    ),
    Setting(
        name="timeout", description="time to wait for CI", parse=durations.parse_duration, option="--timeout",
        metavar="DUR",
        env=("HOMELAB_TIMEOUT",), git="homelab.timeout", tracked="timeout", default="60m",
    ),
    Setting(
        name="appear_timeout", description="time to wait for a pipeline to appear", parse=durations.parse_duration,
        option="--appear-timeout", metavar="DUR", env=("HOMELAB_APPEAR_TIMEOUT",), git="homelab.appearTimeout",
        tracked="appear-timeout", default="2m",
    ),
    Setting(
        name="unreachable_timeout", description="time to retry a server that does not respond",
        parse=durations.parse_duration,
        option="--unreachable-timeout", metavar="DUR", env=("HOMELAB_UNREACHABLE_TIMEOUT",),
        git="homelab.unreachableTimeout", default="3m",
    ),
    Setting(
        name="rollout_timeout", description="time to wait for a rollout", parse=durations.parse_duration,
        option="--rollout-timeout",
        metavar="DUR", env=("HOMELAB_ROLLOUT_TIMEOUT",), git="homelab.rolloutTimeout", tracked="rollout-timeout",
        default="15m",
    ),
    Setting(
        name="settle", description="time a finished rollout must stay healthy", parse=durations.parse_duration,
        option="--settle",
        metavar="DUR", env=("HOMELAB_SETTLE",), git="homelab.settle", tracked="settle", default="5s",
    ),
    Setting(
        name="output", description="how to show progress and result",
        parse=lambda text: OutputMode(parsers.make_choice_parser(*OutputMode)(text)),
        option="--output", metavar="auto|live|plain|json", env=("HOMELAB_OUTPUT",), git="homelab.output",
        default="auto",
    ),
    Setting(
        name="vault_addr", description="the Vault server", parse=parse_server_url, env=("VAULT_ADDR",),
        git="homelab.vaultAddr",
        default_label="Vault is not used", unset_value=None,
    ),
    Setting(
        name="vault_namespace", description="the Vault namespace", parse=str, env=("VAULT_NAMESPACE",),
        default_label="none",
    ),
    Setting(
        name="vault_ca", description="CA certificates for Vault", parse=parsers.parse_path, env=("VAULT_CACERT",),
        default_label="the system's trust store", unset_value=None,
    ),
    Setting(
        name="vault_path", description="the secret that contains the CI token", parse=parsers.parse_vault_path,
        env=("HOMELAB_VAULT_PATH",),
        git="homelab.vaultPath", default="secret/ci/global",
    ),
    Setting(
        name="vault_field", description="the field of the secret", parse=str, env=("HOMELAB_VAULT_FIELD",),
        git="homelab.vaultField",
        default="woodpecker_api_token",
    ),
    Setting(
        name="vault_dial", description="connect to Vault at this address", parse=parse_dial,
        env=("HOMELAB_VAULT_DIAL",),
        git="homelab.vaultDial", default_label="DNS", unset_value=None,
    ),
    Setting(
        name="post_push", description="what to do after a plain `git push`",
        parse=parsers.make_choice_parser("foreground", "background", "off"), git="homelab.postPush",
        default_label="foreground on a terminal, else background",
    ),
    Setting(
        name="notify", description="the command to run when a background watch ends", parse=str,
        env=("HOMELAB_NOTIFY",), git="homelab.notify", default_label="bell and title of the terminal, notify-send",
    ),
)  # fmt: skip
