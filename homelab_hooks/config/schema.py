"""The table of settings: the name in each source, the parser, and the default (docs/settings.md)."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

from homelab_hooks.config import parsers
from homelab_hooks.config.address import parse_connect_to, parse_dial, parse_server_url
from homelab_hooks.config.image_proof import parse_image_proof
from homelab_hooks.config.link_spec import parse_link
from homelab_hooks.config.pull_requests import parse_merge_style, parse_protected
from homelab_hooks.text import durations


class OutputMode(StrEnum):
    """How progress and result are displayed."""

    AUTO = "auto"
    LIVE = "live"
    PLAIN = "plain"
    JSON = "json"


class Superseded(StrEnum):
    """What to do after a newer pipeline whose commit contains this one has replaced its pipeline."""

    AUTO = "auto"
    FOLLOW = "follow"
    FAIL = "fail"


class Strategy(StrEnum):
    """How to integrate the target branch."""

    MERGE = "merge"
    REBASE = "rebase"
    FF_ONLY = "ff-only"


class WhenBusy(StrEnum):
    """What a landing does while the target branch has a running pipeline."""

    AUTO = "auto"
    WAIT = "wait"
    PUSH = "push"
    REFUSE = "refuse"


class Setting(NamedTuple):
    """A setting (docs/settings.md). A source whose name is empty cannot set it."""

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
    may_have_spaces: bool = False
    """an element of the list may have spaces: the variable is split at newlines if it has any"""
    is_secret: bool = False
    """its values are not shown, but for the scheme of a URL"""
    unset_value: Any = ""
    """its value if no source sets it; a list is empty then"""


SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="server", description="URL of the Woodpecker server", parse=parse_server_url, option="--server",
        metavar="URL", unset_value=None,
        env=("WOODPECKER_SERVER",), git="homelab.ciServer", default_label="woodpecker-cli's current context",
    ),
    Setting(
        name="dial",
        description="connect to this address, keeping the server name for TLS and Host, like curl --connect-to",
        parse=parse_dial, option="--dial",
        metavar="IP[:PORT]", env=("HOMELAB_CI_DIAL",), git="homelab.ciDial", default_label="DNS", unset_value=None,
    ),
    Setting(
        name="ca_file", description="CA bundle used to verify the server", parse=parsers.parse_path,
        option="--ca-file", metavar="PATH",
        env=("SSL_CERT_FILE",), git="homelab.ciCaFile", default_label="the system's trust store",
        unset_value=None,
    ),
    Setting(
        name="repo", description="name of the repository in CI", parse=parsers.parse_repo_name, option="--repo",
        metavar="OWNER/NAME",
        env=("HOMELAB_CI_REPO",), git="homelab.ciRepo", tracked="repo", default_label="from the remotes' push URLs",
    ),
    Setting(
        name="remote", description="remote that has the target branch", parse=parsers.parse_ref_name,
        option="--remote",
        metavar="NAME",
        env=("HOMELAB_REMOTE",), git="homelab.remote",
        default_label="the branch's pushRemote, remote.pushDefault, forgejo, origin, or the only remote",
    ),
    Setting(
        name="onto", description="target branch", parse=parsers.parse_ref_name, option="--onto", metavar="BRANCH",
        env=("HOMELAB_TARGET",), git="homelab.target", tracked="target", default_label="the remote's HEAD branch",
    ),
    Setting(
        name="strategy", description="how to integrate the target branch",
        parse=lambda text: Strategy(parsers.make_choice_parser(*Strategy)(text)),
        option="--strategy", metavar="merge|rebase|ff-only", env=("HOMELAB_STRATEGY",), git="homelab.strategy",
        tracked="strategy", default="merge",
    ),
    Setting(
        name="verify", description="shell command that must succeed before a push to the target branch", parse=str,
        option="--verify-cmd", metavar="CMD",
        env=("HOMELAB_VERIFY",), git="homelab.verify", tracked="verify", default_label="auto-detected",
    ),
    Setting(
        name="follow",
        description="link to follow after the push: ci, mirror:REMOTE, actions, status:REMOTE:CONTEXT, deploy:TARGET, "
        "live:URL, or run:COMMAND; a list replaces the default",
        parse=parse_link, option="--follow", metavar="LINK", is_list=True, may_have_spaces=True,
        env=("HOMELAB_FOLLOW",), git="homelab.follow", tracked="follow",
        default_label="ci, then each --deploy target",
    ),
    Setting(
        name="deploy",
        description="workload whose rollout to wait for, NAMESPACE/NAME or NAMESPACE/KIND/NAME",
        parse=parsers.parse_workload, option="--deploy", metavar="TARGET",
        is_list=True, env=("HOMELAB_DEPLOY",), git="homelab.deploy", tracked="deploy", default_label="none",
    ),
    Setting(
        name="image_proof",
        description="what shows the commit of a running image: auto, tag, release, registry, annotation:KEY, "
        "label:KEY, env:NAME, digest:sha256:..., or live:URL#PATH",
        parse=parse_image_proof, option="--image-proof", metavar="PROOF",
        env=("HOMELAB_IMAGE_PROOF",), git="homelab.imageProof", tracked="image-proof", default="auto",
    ),
    Setting(
        name="workflow", description="workflow that decides; the others are only shown",
        parse=parsers.parse_workflow_name, option="--workflow", metavar="NAME", is_list=True,
        env=("HOMELAB_WORKFLOW",), git="homelab.workflow", tracked="workflow", default_label="all workflows decide",
    ),
    Setting(
        name="superseded",
        description="if a newer pipeline whose commit contains this one replaced its pipeline: follow the newer one, "
        "fail, or decide by the configuration",
        parse=lambda text: Superseded(parsers.make_choice_parser(*Superseded)(text)),
        option="--superseded", metavar="auto|follow|fail", env=("HOMELAB_SUPERSEDED",), git="homelab.superseded",
        tracked="superseded", default="auto",
    ),
    Setting(
        name="when_busy",
        description="if the target branch has a running pipeline: wait for its end, push, refuse, or decide by the "
        "configuration",
        parse=lambda text: WhenBusy(parsers.make_choice_parser(*WhenBusy)(text)),
        option="--when-busy", metavar="auto|wait|push|refuse", env=("HOMELAB_WHEN_BUSY",), git="homelab.whenBusy",
        tracked="when-busy", default="auto",
    ),
    Setting(
        name="protected",
        description="on a target that takes no direct pushes: print the link of a pull request, or merge one after its "
        "checks",
        parse=parse_protected, option="--protected", metavar="link|merge", env=("HOMELAB_PROTECTED",),
        git="homelab.protected", tracked="protected", default="link",
    ),
    Setting(
        name="merge_style",
        description="how the forge merges a pull request; auto: a fast-forward or a merge commit, as allowed",
        parse=parse_merge_style, option="--merge-style", metavar="auto|fast-forward|merge|squash|rebase",
        env=("HOMELAB_MERGE_STYLE",), git="homelab.mergeStyle", tracked="merge-style", default="auto",
    ),
    Setting(
        name="forge_url", description="URL of the forge", parse=parse_server_url, option="--forge-url", metavar="URL",
        env=("HOMELAB_FORGE_URL",), git="homelab.forgeUrl", default_label="from the remote's push URL",
        unset_value=None,
    ),
    Setting(
        name="connect_to",
        description="connect to this address for requests to the host, like curl --connect-to; not for CI and Vault",
        parse=parse_connect_to, metavar="HOST=IP[:PORT]", is_list=True,
        env=("HOMELAB_CONNECT_TO",), git="homelab.connectTo", default_label="DNS",
    ),
    Setting(
        name="forge_ca_file", description="CA bundle used to verify servers other than CI and Vault",
        parse=parsers.parse_path, git="homelab.caFile", default_label="the system's trust store", unset_value=None,
    ),
    Setting(
        name="timeout", description="how long to wait for CI", parse=durations.parse_duration, option="--timeout",
        metavar="DUR",
        env=("HOMELAB_TIMEOUT",), git="homelab.timeout", tracked="timeout", default="60m",
    ),
    Setting(
        name="appear_timeout", description="how long to wait for a pipeline to appear",
        parse=durations.parse_duration, option="--appear-timeout", metavar="DUR", env=("HOMELAB_APPEAR_TIMEOUT",),
        git="homelab.appearTimeout", tracked="appear-timeout", default="2m",
    ),
    Setting(
        name="unreachable_timeout", description="how long to retry if a server does not respond",
        parse=durations.parse_duration,
        option="--unreachable-timeout", metavar="DUR", env=("HOMELAB_UNREACHABLE_TIMEOUT",),
        git="homelab.unreachableTimeout", default="3m",
    ),
    Setting(
        name="rollout_timeout", description="how long to wait for the rollouts", parse=durations.parse_duration,
        option="--rollout-timeout",
        metavar="DUR", env=("HOMELAB_ROLLOUT_TIMEOUT",), git="homelab.rolloutTimeout", tracked="rollout-timeout",
        default="15m",
    ),
    Setting(
        name="settle", description="how long a complete rollout must stay stable", parse=durations.parse_duration,
        option="--settle",
        metavar="DUR", env=("HOMELAB_SETTLE",), git="homelab.settle", tracked="settle", default="5s",
    ),
    Setting(
        name="output",
        description="output format: live view, plain lines, or newline-delimited JSON; "
        "auto: live on a terminal, otherwise plain",
        parse=lambda text: OutputMode(parsers.make_choice_parser(*OutputMode)(text)),
        option="--output", metavar="auto|live|plain|json", env=("HOMELAB_OUTPUT",), git="homelab.output",
        default="auto",
    ),
    Setting(
        name="vault_addr", description="URL of the Vault server", parse=parse_server_url, env=("VAULT_ADDR",),
        git="homelab.vaultAddr",
        default_label="Vault is not used", unset_value=None,
    ),
    Setting(
        name="vault_namespace", description="Vault namespace", parse=parsers.parse_vault_namespace,
        env=("VAULT_NAMESPACE",),
        default_label="none",
    ),
    Setting(
        name="vault_ca", description="CA bundle used to verify Vault", parse=parsers.parse_path, env=("VAULT_CACERT",),
        default_label="the system's trust store", unset_value=None,
    ),
    Setting(
        name="vault_path", description="path of the secret that contains the CI token", parse=parsers.parse_vault_path,
        env=("HOMELAB_VAULT_PATH",),
        git="homelab.vaultPath", default="secret/ci/global",
    ),
    Setting(
        name="vault_field", description="field of the secret that contains the CI token", parse=str,
        env=("HOMELAB_VAULT_FIELD",), git="homelab.vaultField", default="woodpecker_api_token",
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
        name="notes", description="also write receipts as git notes, under refs/notes/homelab; true or false",
        parse=parsers.parse_bool, git="homelab.notes", default="false",
    ),
    Setting(
        name="notify", description="command to run when a background watch ends", parse=str,
        env=("HOMELAB_NOTIFY",), git="homelab.notify", default_label="bell and title of the terminal, notify-send",
    ),
    Setting(
        name="notify_url", description="URLs of Apprise to notify, such as ntfy://TOPIC; needs the extra notify",
        parse=parsers.parse_notify_url, git="homelab.notifyUrl", default_label="none", is_list=True, is_secret=True,
    ),
    Setting(
        name="notify_after", description="also notify when a command that waits ends in the foreground after this time",
        parse=durations.parse_duration, git="homelab.notifyAfter", default_label="never", unset_value=None,
    ),
)  # fmt: skip
