"""Reading and matching: what varies is taken out, what counts is found, in one pass."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.knowledge.patterns import MOST_KEPT, Matcher, PatternError
from smtpshell.knowledge.reading import LONGEST, find_address, find_enhanced, read

GROUPS = {"person": ("user", "mailbox"), "unknown": ("unknown", "missing")}


def owners(patterns: list[str], text: str) -> list[int]:
    """Return which patterns match a text, each its own owner."""
    matcher = Matcher(GROUPS)
    for number, pattern in enumerate(patterns):
        matcher.add(number, [pattern])
    return sorted({owner for _, ends in matcher.hits(read(text).words) for owner, _ in ends})


@pytest.mark.parametrize(
    "text",
    [
        "Mailbox does not exist",
        "the mailbox doesn't exist!",
        "Sorry, this mailbox <zoe@example.com> does NOT exist.",
        "mail box don't exist",
    ],
)
def test_what_varies_is_taken_out(text):
    """Case, articles, addresses and contractions make no difference."""
    assert list(read(text).words) == ["mailbox", "not", "exist"]


def test_names_and_addresses_are_set_aside():
    """Dotted names and IP addresses do not break up phrases, and are kept apart."""
    reading = read("Client host [192.0.2.7] blocked using zen.spamhaus.org")
    assert list(reading.names) == ["zen.spamhaus.org"]
    assert list(reading.addresses) == ["192.0.2.7"]
    assert "spamhaus" not in reading.words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Requested action not taken: fake sender", ["fake", "sender"]),
        ("Requested mail action not taken", ["requested", "mail", "action", "not", "taken"]),
        ("the recipient's mailbox", ["recipient", "mailbox"]),
        ("your domain is unknown", ["sender", "domain", "unknown"]),
        ("see http://www.example.com/help/spam/16.htm?ip=192.0.2.7", ["see"]),
        (
            "see https://www.example.com/mail/?p=BadCredentials",
            ["see", "badcredentials", "bad", "credentials"],
        ),
        ("see http://www.example.com/codes.php#DM000001", ["see", "codes", "dm000001"]),
    ],
)
def test_what_says_nothing_is_taken_out(text, words):
    """The standard's own words before a reason, possessives, and the paths of links go."""
    assert list(read(text).words) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SendAsDeniedException", ["sendasdeniedexception", "send", "as", "denied", "exception"]),
        (
            "RESOLVER.ADR.RecipNotFound",
            ["resolver", "adr", "recipnotfound", "recip", "not", "found"],
        ),
        ("Message=UntrustedRoot", ["message", "untrustedroot", "untrusted", "root"]),
        ("SpamAssassin", ["spamassassin"]),
    ],
)
def test_names_of_faults_are_read_as_words(text, words):
    """What a program calls a fault is read word by word; the name of a product is not."""
    assert list(read(text).words) == words


def test_the_host_of_a_link_is_kept():
    """A link leaves its host among the names."""
    assert list(read("see https://check.example.org/a/b?c=d").names) == ["check.example.org"]


def test_the_follow_up_of_a_pipelined_session_is_cut_off():
    """After a refusal, the 503 to the next command is not part of the reason."""
    assert "rcpt" not in read("550 no such user 503 5.5.1 RCPT first").words


def test_where_to_read_on_is_no_reason():
    """Of "for more information see ...", only the names count, not the words."""
    reading = read("mailbox unavailable here, for more information on spam see www.example.com")
    assert "spam" not in reading.words
    assert list(reading.names) == ["www.example.com"]


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("user unknown", "user unknown", True),
        ("user unknown", "user is unknown", True),
        ("user unknown", "unknown user", False),
        ("user|address unknown", "the address was unknown", True),
        ("{person} {unknown}", "mailbox missing", True),
        ("{person} ~ {unknown}", "mailbox here right now still missing", True),
        ("{person} ~ {unknown}", "mailbox b c d e f missing", False),
        ("{person} ~~ {unknown}", "mailbox b c d e f missing", True),
        ("spam", "this is SPAM.", True),
    ],
)
def test_a_pattern_matches_what_it_says(pattern, text, matches):
    """Words in order, groups, choices and gaps mean what the head of the module says."""
    assert bool(owners([pattern], text)) is matches


def test_all_patterns_are_found_at_once():
    """Overlapping patterns of several owners are all reported."""
    assert owners(["user unknown", "unknown", "{person} ~ here"], "user unknown here") == [0, 1, 2]


@pytest.mark.parametrize("pattern", ["", "~ user", "user ~", "{nobody} x", "a|x-y z", "is spam"])
def test_a_pattern_that_means_nothing_is_refused(pattern):
    """Gaps at the ends, unknown groups and phrases of fillers are errors."""
    with pytest.raises(PatternError):
        Matcher(GROUPS).check([pattern])


def naive(pattern: list[str], words: list[str]) -> bool:
    """Tell by brute force whether words match a pattern of words and "~"."""

    def follows(items: list[str], at: int, reach: int) -> bool:
        if not items:
            return True
        if items[0] == "~":
            return follows(items[1:], at, 4)
        return any(
            words[place] == items[0] and follows(items[1:], place + 1, 0)
            for place in range(at, min(at + reach + 1, len(words)))
        )

    return any(follows(pattern, start, 0) for start in range(len(words)))


LETTERS = st.sampled_from(["xa", "xb", "xc"])


@given(
    st.lists(st.lists(LETTERS, min_size=1, max_size=2), min_size=1, max_size=3),
    st.lists(st.one_of(LETTERS, st.just("xz")), max_size=12),
)
def test_the_one_pass_agrees_with_brute_force(parts, words):
    """The trie finds exactly what trying every place of the text finds."""
    pattern = " ~ ".join(" ".join(part) for part in parts)
    assert bool(owners([pattern], " ".join(words))) is naive(pattern.split(), words)


def test_kept_states_are_bounded():
    """Texts that keep leading to new states do not make the matcher grow without end."""
    matcher = Matcher({})
    letters = [f"x{chr(97 + number)}" for number in range(26)]
    matcher.add(0, [" ~ ".join([f"{a}|{b}" for a, b in pairwise(letters)])])
    for number in range(300):
        matcher.hits([letters[(number * place) % 26] for place in range(400)])
    assert matcher._kept <= MOST_KEPT + 400


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("sorry (#5.1.1)", "5.1.1"),
        ("550-5.7.26 unauthenticated", "5.7.26"),
        ("from 192.0.2.5.1.1", None),
        ("5.1.1.9 is an address", None),
        ("nothing", None),
    ],
)
def test_an_enhanced_code_is_found_anywhere(text, code):
    """The code is found within the text, and IP addresses are not taken for one."""
    assert find_enhanced(text) == code


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("host [192.0.2.7] blocked", "192.0.2.7"),
        ("999.0.2.7 and 192.0.2.8", "192.0.2.8"),
        ("from 2001:db8::7: refused", "2001:db8::7"),
        ("at 12:30:45 today", None),
        ("nobody", None),
    ],
)
def test_the_first_address_is_found(text, address):
    """IPv4 and IPv6 addresses are found; times of day and nonsense are not."""
    assert find_address(text, read(text)) == address


@given(st.text(max_size=500))
def test_any_text_can_be_read(text):
    """Reading never fails and never yields more than it was given."""
    reading = read(text)
    assert sum(map(len, reading.words)) <= 6 * LONGEST
