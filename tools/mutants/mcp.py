"""What the MCP server is protected from: clients that name options, text that others wrote, its own end."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

SERVER = "tests/mcp/test_server.py"
FILE = "app/mcp_server.py"
FOUND = "tests/hostile/test_fuzz.py::test_what_was_found_stays_fixed"

MCP = (
    Defence(
        "options-of-mcp-clients",
        "a name that an MCP client passes is neither an option nor a URL",
        (Change(FILE, 'if not value or value.startswith("-") or _NOT_IN_NAMES.search(value):', "if not value:"),),
        (f"{SERVER}::test_an_option_a_url_or_a_path_is_refused",),
    ),
    Defence(
        "workloads-of-mcp-clients",
        "nor is a workload",
        (Change(FILE, "return str(WorkloadTarget.parse(value))", "return value"),),
        (f"{SERVER}::test_an_option_a_url_or_a_path_is_refused",),
    ),
    Defence(
        "text-for-mcp-clients",
        "text that others wrote is only in the field untrusted",
        (
            Change(
                FILE,
                '"verdict": str(result.get("verdict", "")),',
                '"verdict": str(lines or result.get("verdict", "")),',
            ),
        ),
        (f"{SERVER}::test_a_red_pipeline_is_reported_and_its_log_is_marked_as_untrusted",),
    ),
    Defence(
        "length-for-mcp-clients",
        "and a line of it is cut: the client has to read all of it",
        (Change(FILE, "return truncate_text(str(text), MAX_LINE_COLUMNS)", "return str(text)"),),
        (f"{SERVER}::test_a_red_pipeline_is_reported_and_its_log_is_marked_as_untrusted",),
    ),
    Defence(
        "pages-for-mcp-clients",
        "nor is the page that a forge names, or the name of a link, outside that field",
        (
            Change(
                FILE,
                '        "sha": str(result.get("sha", "")),',
                '        "sha": str(result.get("sha", "")),\n        "url": str(result.get("url", "")),',
            ),
            Change(FILE, "    sha: str\n    landed:", "    sha: str\n    url: str\n    landed:"),
        ),
        (f"{SERVER}::test_a_red_pipeline_is_reported_and_its_log_is_marked_as_untrusted",),
    ),
    Defence(
        "progress-for-mcp-clients",
        "and it is in no report of progress, which cannot mark it",
        (Change(FILE, "message=_name_progress(event))", "message=text)"),),
        (f"{SERVER}::test_a_red_pipeline_is_reported_and_its_log_is_marked_as_untrusted",),
    ),
    Defence(
        "slices-of-mcp-clients",
        "a wait ends before clients give up",
        (Change(FILE, "Field(ge=1, le=MAX_SLICE_S,", "Field(ge=1,"),),
        (f"{SERVER}::test_an_option_a_url_or_a_path_is_refused",),
    ),
    Defence(
        "cancelled-mcp-calls",
        "a call that is cancelled ends its command",
        (Change(FILE, "    if process.returncode is None:\n        process.terminate()\n", "    pass\n"),),
        (f"{SERVER}::test_a_cancelled_call_ends_its_command",),
    ),
    Defence(
        "messages-of-mcp-clients",
        "a text that no process can be started with is refused",
        (Change(FILE, "    if _NOT_IN_ARGUMENTS.search(value):", "    if False:"),),
        (FOUND,),
    ),
    Defence(
        "long-names-of-mcp-clients",
        "so is one that is too long for it",
        (Change(FILE, 'Field(max_length=MAX_NAME_CHARS, description="any', 'Field(description="any'),),
        (FOUND,),
    ),
)
