"""homelab deploy wait: wait until workloads run the commit.

Wait until each workload runs an image of the commit and its rollout is complete. TARGET is NAMESPACE/NAME (a
Deployment) or NAMESPACE/KIND/NAME, where KIND is deployment, statefulset, daemonset, rollout (Argo Rollouts), cronjob,
kustomization (Flux), application (Argo CD), or kubectl's short name for one. Without TARGET, the configured workloads
are used (homelab.deploy).

An image belongs to the commit if its tag contains the SHA, as in app:dd843c68, if its tag is the name of a git tag of
the commit, or if the registry has the commit as the revision of its digest. --image-proof selects one of these, or
other evidence. A kustomization or an application names the commit in its revision.
"""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace

from homelab_hooks.app import deploy_setup, options, resolve_names
from homelab_hooks.app.session import Session
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Start


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    parser.add_argument("target", metavar="TARGET", nargs="*", help="workload, NAMESPACE/NAME or NAMESPACE/KIND/NAME")
    parser.add_argument("--sha", metavar="COMMIT", help="commit to wait for (default: HEAD)")
    parser.add_argument(
        "--container", default="", metavar="NAME", help="check only this container's image (default: any container)"
    )
    parser.add_argument("--exact", action="store_true", help="do not accept a newer commit that contains this one")
    parser.add_argument("--wait-for-workload", action="store_true", help="wait for a workload that does not exist yet")
    options.add_kubectl_options(parser)
    options.add_options(
        parser, *options.PROOF_OPTIONS, *options.ROLLOUT_OPTIONS, "unreachable_timeout", "remote", "output"
    )


def run(args: argparse.Namespace, session: Session) -> int:
    """Wait for the workloads."""
    config, runtime = session.config(vars(args)), session.runtime
    workloads = deploy_setup.parse_targets(args.target or config.deploy)
    if not workloads:
        hint = "run homelab deploy wait NAMESPACE/NAME, or git config --add homelab.deploy NAMESPACE/NAME"
        raise CommandError("no workload given", hint=hint)
    commit = resolve_names.resolve_commit(runtime, args.sha)
    remote = resolve_names.default_remote(config, runtime.git_readonly, runtime.git_readonly.remotes.remote_names())
    names = [str(workload) for workload in workloads]
    again = " ".join([deploy_setup.deploy_resume_command(vars(args), names, commit.sha), *_again(args)])
    session.tell(Start(command=session.prog, sha=commit.sha, resume=tuple(shlex.split(again))))
    asked = replace(
        deploy_setup.build_deploy_request(config, workloads, commit.sha),
        container=args.container,
        exact=args.exact,
        wait_for_workload=args.wait_for_workload,
    )
    kubectl = runtime.kubectl(context=args.context, kubeconfig=args.kubeconfig)
    target = resolve_names.known_target(config, runtime.git_readonly, remote)
    origin = deploy_setup.CommitOrigin(remote, target)
    return session.finish(deploy_setup.run_wait(asked, session, config, origin=origin, kubectl=kubectl))


def _again(args: argparse.Namespace) -> list[str]:
    """Return the options that only this command has, quoted, for the resume command."""
    named = {"--container": args.container, "--context": args.context, "--kubeconfig": args.kubeconfig}
    found = [word for option, text in named.items() if text for word in (option, text)]
    found += [option for option, on in (("--exact", args.exact), ("--wait-for-workload", args.wait_for_workload)) if on]
    return [shlex.quote(word) for word in found]
