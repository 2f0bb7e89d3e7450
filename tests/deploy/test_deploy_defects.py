"""What the Go original got wrong about rollouts, each named after what is right."""

from __future__ import annotations

from homelab_hooks.cli.commands.deploy import wait
from homelab_hooks.cli.main import CommandParser
from homelab_hooks.config.resolve import SettingSources, resolve_config
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.kubectl import errors, image_ref
from homelab_hooks.polling.outcome import Denied, Unavailable
from homelab_hooks.system.completed import Completed
from homelab_hooks.text import commit_name

SHA = "9f2c1a7be0d34c55a1c2f3e4d5b6a79808172635"


def test_defect_34_only_the_tag_proves_and_a_seven_digit_tag_is_enough() -> None:
    short, elsewhere = SHA[:7], f"registry.example.test/{SHA[:8]}/app:stable@sha256:{SHA}{'0' * 24}"

    assert commit_name.has_commit_token(image_ref.extract_tag(f"registry.example.test:5000/app:{short}"), SHA)
    assert not commit_name.has_commit_token(image_ref.extract_tag(elsewhere), SHA)
    assert not commit_name.has_commit_token(image_ref.extract_tag(f"app:x{SHA[:8]}"), SHA)


def test_defect_35_a_kubectl_that_fails_is_reported_at_once() -> None:
    forbidden = errors.to_poll(Completed(1, b"", b'Error from server (Forbidden): deployments.apps "web" is forbidden'))
    unreached = errors.to_poll(Completed(1, b"", b"The connection to the server 10.0.0.1:6443 was refused"))

    assert isinstance(forbidden, Denied)
    assert forbidden.exit is ExitCode.DENIED
    assert isinstance(unreached, Unavailable)


def test_defect_36_the_time_a_rollout_may_take_is_an_option_that_is_read() -> None:
    parser = CommandParser()
    wait.add_arguments(parser)

    args = parser.parse_args(["shop/web", "--rollout-timeout", "42m"])

    assert resolve_config(SettingSources(options={"rollout_timeout": args.rollout_timeout})).rollout_timeout == 42 * 60
