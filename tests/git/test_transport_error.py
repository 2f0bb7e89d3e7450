"""Why git could not use a remote: the cause decides, not the names in the text."""

from __future__ import annotations

import pytest

from homelab_hooks.git.transport_error import TransportFault, read_transport_error

SSH_END = (
    "\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights"
    "\nand the repository exists.\n"
)
HOST_CHANGED = """@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Host key for host.test has changed and you have requested strict checking.
Host key verification failed."""
KEY_TOO_OPEN = """@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @
Permissions 0644 for '/home/ann/.ssh/id' are too open.
It is required that your private key files are NOT accessible by others.
Load key "/home/ann/.ssh/id": bad permissions
git@host.test: Permission denied (publickey)."""
URL = "https://git.example.test/acme/app.git/"

NO_ANSWER = "fatal: expected flush after ref listing"

U, D, R = TransportFault.UNREACHABLE, TransportFault.DENIED, TransportFault.REFUSED
CASES = [
    ("error: RPC failed; HTTP 403 curl 22 The requested URL returned error: 403\n" + NO_ANSWER,
     D, "HTTP 403", "your access"),
    ("error: RPC failed; HTTP 500 curl 22 The requested URL returned error: 500\n" + NO_ANSWER,
     U, "HTTP 500", "works again"),
    (f"fatal: unable to access '{URL}': The requested URL returned error: 429", U, "429", "limits the rate"),
    ("/home/ann/.ssh/config: line 3: Bad configuration option: usekeychain\n/home/ann/.ssh/config: terminating, 1 bad"
     " configuration options" + SSH_END, R, "line 3: Bad configuration option", "ssh configuration"),
    ("Bad owner or permissions on /home/ann/.ssh/config" + SSH_END, R, "Bad owner", "ssh configuration"),
    (KEY_TOO_OPEN + SSH_END, D, "Permissions 0644 for", "chmod 600"),
    ('Load key "/home/ann/.ssh/id": error in libcrypto\ngit@h.test: Permission denied (publickey).' + SSH_END,
     D, "error in libcrypto", "key file"),
    ('sign_and_send_pubkey: signing failed for ED25519 "ann" from agent: agent refused operation\n'
     "git@h.test: Permission denied (publickey)." + SSH_END, D, "agent refused", "ssh-add"),
    (HOST_CHANGED + SSH_END, D, "REMOTE HOST IDENTIFICATION HAS CHANGED", "ssh-keygen -R"),
    ("No ED25519 host key is known for h.test and you have requested strict checking.\nHost key verification failed."
     + SSH_END, D, "No ED25519 host key is known", "accept its key"),
    ("Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures" + SSH_END, D, "Too many",
     "IdentitiesOnly"),
    ("Unable to negotiate with 10.0.0.1 port 22: no matching host key type found. Their offer: ssh-rsa" + SSH_END,
     R, "no matching host key type", "algorithm"),
    ("ssh: Could not resolve hostname h.test: Name or service not known" + SSH_END, U, "Could not resolve", "network"),
    ("kex_exchange_identification: read: Connection reset by peer" + SSH_END, U, "Connection reset", "network"),
    ("error: cannot run ssh: No such file or directory\nfatal: unable to fork", R, "cannot run ssh", "install"),
    (f"fatal: unable to access '{URL}': Could not resolve host: git.example.test", U, "Could not resolve", "network"),
    (f"fatal: unable to access '{URL}': Could not resolve proxy: proxy.test", U, "resolve proxy", "check the proxy"),
    (f"fatal: unable to access '{URL}': SSL certificate problem: certificate has expired", R, "expired", "renewed"),
    (f"fatal: unable to access '{URL}': SSL certificate problem: certificate is not yet valid", R, "not yet", "clocks"),
    (f"fatal: unable to access '{URL}': SSL certificate problem: unable to get local issuer certificate",
     R, "local issuer", "http.sslCAInfo"),
    (f"fatal: unable to access '{URL}': SSL: no alternative certificate subject name matches target host name 'x'",
     R, "no alternative", "name that the certificate is for"),
    (f"fatal: unable to access '{URL}': error setting certificate file: /nowhere.pem", R, "/nowhere",
     "correct http"),
    (f"remote: Forbidden\nfatal: unable to access '{URL}': The requested URL returned error: 403", D, "Forbidden",
     "access"),
    ((f"remote: This repo is archived. You can view files\nfatal: unable to access '{URL}': The requested URL returned"
     " error: 403"), R, "archived", "another repository"),
    (f"fatal: Authentication failed for '{URL}'", D, "Authentication failed", "access"),
    (f"fatal: could not read Username for '{URL}': terminal prompts disabled", D, "Username", "access"),
    (f"helper: no session, run vault login\nfatal: could not read Username for '{URL}': terminal prompts disabled",
     D, "helper: no session, run vault login", "access"),
    (f"touch your key\nwait\nkey: timed out\nfatal: could not read Password for '{URL}': No such device or address",
     D, "touch your key; key: timed out", "access"),
    (f"/srv/h get: 1: /srv/h: not found\nfatal: could not read Username for '{URL}': terminal prompts disabled",
     D, "/srv/h: not found", "access"),
    (f"git: 'credential-vault' is not a git command.\nfatal: could not read Username for '{URL}': No such device",
     D, "credential-vault", "credential.helper"),
    (f"remote: log in first\nfatal: could not read Username for '{URL}': terminal prompts disabled",
     D, "could not read Username", "access"),
    (f"remote: Not Found\nfatal: repository '{URL}' not found", R, "not found", "URL"),
    (f"fatal: unable to access '{URL}': The requested URL returned error: 502", U, "502", "works again"),
    (f"fatal: unable to access '{URL}': The requested URL returned error: 413", R, "413", "request bodies"),
    (f"fatal: {URL}info/refs not valid: is this a git repository?", R, "not valid", "proxy"),
    ("fatal: transport 'file' not allowed", R, "'file' not allowed", "GIT_ALLOW_PROTOCOL"),
    ("fatal: Unable to find remote helper for 'https'", R, "remote helper", "install"),
    ("error: Cannot access URL https://git.example.test/acme/app.git/, return code 22\nfatal: git-http-push failed",
     R, "Cannot access URL", "proxy"),
    ("fatal: couldn't find remote ref refs/heads/typo", TransportFault.NO_BRANCH, "typo", ""),
    ("fatal: something never seen before", R, "something never seen", "what git reports"),
    ("", R, "git reported no reason", "what git reports"),
]  # fmt: skip


@pytest.mark.parametrize(("err", "fault", "reason", "hint"), CASES, ids=[case[0][:40] for case in CASES])
def test_the_cause_decides_kind_reason_and_hint(err: str, fault: TransportFault, reason: str, hint: str) -> None:
    found = read_transport_error(err)
    assert (found.fault, reason in found.reason, hint in found.hint) == (fault, True, True), found


NAMES = ["403", "not-found", "is archived", "Permission denied", "Connection refused", "413", "SSL certificate problem"]


@pytest.mark.parametrize("name", NAMES)
def test_the_users_own_names_do_not_decide(name: str) -> None:
    url = f"https://{name.replace(' ', '-')}.test/{name}/app.git/"
    assert read_transport_error(f"fatal: unable to access '{url}': Could not resolve host: x.test").fault is U
    assert read_transport_error(f"fatal: Authentication failed for '{url}'").fault is D
    assert read_transport_error(f"fatal: repository '{url}' not found").fault is R


def test_what_is_shown_has_no_password_and_no_control_characters() -> None:
    found = read_transport_error("fatal: Authentication failed for 'https://ann:secret@h.test/\x1b]0;x\x07a.git/'")
    assert "secret" not in found.reason
    assert "\x1b" not in found.reason
