"""Defences of the chain: no link after one that did not succeed, and a receipt that names the right one."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

RANDOM_CHAINS = ("tests/follow/test_random_chains.py::test_no_random_chain_ends_with_a_wrong_verdict",)
CHAIN, LIVE = "follow/chain.py", "follow/live.py"

CHAINS = (
    Defence(
        "chain-order",
        "no link begins after one that timed out",
        (
            Change(
                CHAIN,
                "if last.exit is ExitCode.OK and len(verdicts)",
                "if last.exit in {ExitCode.OK, ExitCode.TIMEOUT} and len(verdicts)",
            ),
        ),
        RANDOM_CHAINS,
    ),
    Defence(
        "chain-named-link",
        "the link that did not succeed is the one that is named",
        (Change(CHAIN, "decided = links[len(results) - 1]", "decided = links[-1]"),),
        RANDOM_CHAINS,
    ),
    Defence(
        "live-settle",
        "one answer that names the commit is not enough",
        (Change(LIVE, "if since is not None and now - since >= state.limits.settle:", "if since is not None:"),),
        RANDOM_CHAINS,
    ),
    Defence(
        "ends-of-calls",
        "the end of a call does not decide about a service that has not shown anything yet",
        (Change(LIVE, "if limits.is_slice or state", "if state"),),
        ("tests/follow/test_live.py::test_the_end_of_a_call_leaves_open_what_it_has_not_seen",),
    ),
    Defence(
        "limits-of-calls",
        "the timeout of a call also ends the waits for rollouts and live answers",
        (
            Change(
                "config/resolve.py",
                "rollout_timeout=min(self.rollout_timeout, left)",
                "rollout_timeout=self.rollout_timeout",
            ),
        ),
        ("tests/test_examples.py::test_an_example_shows_what_it_says[config/resolve.py]",),
    ),
)
