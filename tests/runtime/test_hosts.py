"""Addresses of hosts and names of accounts: what people have, and what is refused by which sign."""

from __future__ import annotations

import pytest

from eryph_runtime.faults import UsageError
from eryph_runtime.guest_ssh import check_user
from eryph_runtime.hosts import parse_address, ssh_command


@pytest.mark.parametrize(
    ("text", "user", "host", "port"),
    [
        ("ssh://hv01", None, "hv01", None),
        ("ssh://admin@hv01:2222", "admin", "hv01", 2222),
        ("ssh://svc$@hv01", "svc$", "hv01", None),
        ("ssh://CORP\\svc-web$@hv01.corp.example/", "CORP\\svc-web$", "hv01.corp.example", None),
        ("ssh://alice@corp.example@hv01", "alice@corp.example", "hv01", None),
        ("ssh://müller@hv01", "müller", "hv01", None),
        ("ssh://mu\u0308ller@hv01", "müller", "hv01", None),
        ("ssh://m%C3%BCller@hv01", "müller", "hv01", None),
        ("ssh://администратор@hv01", "администратор", "hv01", None),
        ("ssh://admin@hv-bäckup", "admin", "hv-bäckup", None),
        ("ssh://[fe80::1%eth0]:22", None, "fe80::1%eth0", 22),
        ("ssh://[fe80::1%25eth0.7]", None, "fe80::1%eth0.7", None),
        ("ssh://fe80::1%12", None, "fe80::1%12", None),
        ("winrm://admin@[2001:db8::7]:5985", "admin", "2001:db8::7", 5985),
    ],
)
def test_what_people_have(text: str, user: str | None, host: str, port: int | None) -> None:
    found = parse_address(text)
    assert (found.user, found.host, found.port) == (user, host, port)
    if found.scheme == "ssh":
        command = ssh_command(found)
        assert command[command.index("--") + 1] == host
        assert user is None or command[command.index("-l") + 1] == user


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("ssh://-oProxyCommand=x@hv01", "begins with '-'"),
        ("ssh://$x@hv01", "begins with '$'"),
        ("ssh://a@-hv01", "begins with '-'"),
        ("ssh://a@hv01-", "ends with '-'"),
        ("ssh://a;b@hv01", "holds ';'"),
        ("ssh://a`b@hv01", "holds '`'"),
        ("ssh://a%0Ab@hv01", r"holds '\n'"),
        ("ssh://a b@hv01", "holds ' '"),
        ("ssh://a@hv$", "holds '$'"),
        ("ssh://a@hv\u202e01", r"holds '\u202e'"),
        ("ssh://[fe80::1%a b]", "'a b' is no zone"),
        ("ssh://[fe80::x]:22", "'fe80::x' is no IPv6 address"),
        ("ssh://a@", "the host is missing"),
        ("ssh://@hv01", "the user is missing"),
        ("ssh://hv01:70000", "no such port"),
    ],
)
def test_refusals_name_the_sign(text: str, sign: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert sign in str(caught.value)


def test_a_password_in_an_address_is_not_shown() -> None:
    with pytest.raises(UsageError) as caught:
        parse_address("ssh://admin:hunter2@hv01")
    assert "hunter2" not in str(caught.value)
    assert "no password" in str(caught.value)


def test_guests_have_the_same_accounts() -> None:
    for user in ("alice@corp.example", "CORP\\alice", "svc$", "müller", "debian"):
        check_user(user)
    for user in ("-oX", "a;b", "", "a b"):
        with pytest.raises(UsageError, match="--guest-user"):
            check_user(user)
