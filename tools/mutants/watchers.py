"""Defences of the background watchers that callers attach to."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

ATTACH = "tests/hooks/background/test_attach.py"
EVENT_LOG = "tests/hooks/background/test_event_log.py"

WATCHERS = (
    Defence(
        "watchers-of-other-chains",
        "a caller attaches only to a watcher of the same server, repository, links, and settings",
        (
            Change(
                "hooks/background/attach.py",
                "record.remote, record.chain)",
                "record.remote, self.chain)",
            ),
        ),
        (f"{ATTACH}::test_a_caller_attaches_to_a_running_watcher_of_the_same_chain_only",),
    ),
    Defence(
        "results-that-stand",
        "an end that says nothing about the commit is not repeated for ever",
        (
            Change(
                "hooks/background/attach.py",
                "return BeginWatch() if record.delivered else UseResult(record, is_standing=False)",
                "return UseResult(record, is_standing=False)",
            ),
        ),
        (f"{ATTACH}::test_a_printed_result_stays_printed_when_the_watcher_saves_after_it",),
    ),
    Defence(
        "watchers-of-another-boot",
        "a process that has the ID of a dead watcher is not taken for it",
        (
            Change("hooks/background/registry.py", " if self.boot == boot_id() else None", ""),
            Change("hooks/background/registry.py", " and known.began == self.process_began", ""),
        ),
        (f"{ATTACH}::test_a_watcher_is_alive_only_as_the_process_of_the_boot_that_claimed_it",),
    ),
    Defence(
        "pushes-that-did-not-land",
        "the end of a push that did not land is not the result of the commit",
        (Change("hooks/background/attach.py", "if record.landed is not True or code", "if code"),),
        (f"{ATTACH}::test_a_watcher_that_died_is_taken_over_and_a_push_that_did_not_land_is_no_result",),
    ),
    Defence(
        "events-of-the-next-watcher",
        "a reader never continues in the events of another watcher",
        (Change("hooks/background/registry.py", '{record.name}.{record.process}.events"', '{record.name}.0.events"'),),
        (f"{ATTACH}::test_chains_of_one_commit_have_records_of_their_own_and_the_next_watcher_its_own_events",),
    ),
    Defence(
        "mode-of-the-events",
        "the events of a watcher are their user's alone",
        (Change("hooks/background/event_log.py", "os.O_CLOEXEC, 0o600)", "os.O_CLOEXEC, 0o644)"),),
        (f"{EVENT_LOG}::test_a_reader_gets_what_was_written_before_and_after_it_came",),
    ),
    Defence(
        "events-without-bound",
        "the events of a watcher do not fill the disk",
        (Change("hooks/background/event_log.py", "if self._written_bytes > self._max_bytes:", "if False:"),),
        (f"{EVENT_LOG}::test_a_file_that_is_shortened_keeps_its_ends_and_a_reader_that_keeps_up_misses_nothing",),
    ),
    Defence(
        "chains-of-another-shape",
        "a record whose chain is damaged is none",
        (Change("hooks/background/chain_key.py", "for text in (server, repo, *links, *settings)", "for text in ()"),),
        (f"{ATTACH}::test_a_record_survives_the_disk_with_its_chain",),
    ),
    Defence(
        "late-watchers",
        "a watcher that starts late does not watch a push that was watched since",
        (
            Change(
                "hooks/background/registry.py",
                "known.state is WatchPhase.ENDED and known.ended >= unless_ended_since:",
                "False:",
            ),
        ),
        ("tests/hooks/background/test_attach.py::test_a_watcher_that_starts_late_does_not_watch_a_push_again",),
    ),
)
