"""Logins and passwords: what may be one, and how failed attempts slow the next one down."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from kb.errors import Invalid

SHORTEST, LONGEST = 12, 200
"""Characters of a password. Length is what counts: no rules about kinds of characters (NIST SP 800-63B-4, 3.1.1.2)."""

_FEWEST_DIFFERENT = 5

# Bases of what people make up when twelve characters are asked for: too short for a list of leaked passwords, ours, or
# new every year. Compared without case, digits and punctuation at the ends. The list itself is `kb.solve.passwords`'s.
_COMMON_WORDS = """
    password passwort wachtwoord contrasena motdepasse mima passw0rd p@ssword p@ssw0rd newpassword temppassword
    letmein welcome welcomehome changeme changemenow admin administrator superadmin root toor test testing secret
    iloveyou sunshine princess football baseball superman batman starwars pokemon liverpool chelsea arsenal
    monkey dragon helloworld qwerty asdfgh asdfghjkl zxcvbnm qazwsx qazwsxedc woaini woaiwojia nihaoma aini
    company companyname companypassword contactcentre contactcenter callcentre callcenter customerservice
    knowledge knowledgebase knowledgecentre
    winter spring summer autumn january february march april june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_RUNS = (
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", "01234567890123456789", "98765432109876543210",
    "qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "asdfghjklqwertyuiop", "zxcvbnmasdfghjklqwertyuiop",
)  # fmt: skip


def normal_login(given: str) -> str:
    """A login as it is kept and compared: however it was typed, "Ａda " is "ada". Raises Invalid for none."""
    login = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", given).casefold()).strip()
    if not login or len(login) > LONGEST or not login.isprintable():
        raise Invalid(f"a login has 1 to {LONGEST} characters, such as ada or ada@example.com", "login")
    return login


def normal_password(given: str) -> str:
    """A password as it is hashed: composed (NFC, as RFC 8265 has it), since keyboards differ, otherwise as typed."""
    return unicodedata.normalize("NFC", given)


TOO_COMMON = "many people use this password: it is tried first; take a few unrelated words"


def check_password(password: str, login: str, field: str = "password") -> None:
    """Nothing, or Invalid with the reason why nobody should use that password, as far as rules can tell."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(f"a password has {SHORTEST} to {LONGEST} characters", field)
    folded = password.casefold()
    core = folded.strip("0123456789!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ！。，")
    name = login.partition("@")[0]
    if name and (folded == login or core in (name, name * 2, name * 3)):
        raise Invalid("a password is not the login", field)
    if core in _COMMON or len(set(folded)) < _FEWEST_DIFFERENT or any(folded in run for run in _RUNS) or not core:
        raise Invalid(TOO_COMMON, field)


@dataclass(frozen=True, slots=True)
class Patience:
    """How many failed attempts cost nothing, and after which time without one each is forgotten."""

    free: int
    forgets: timedelta
    first: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(minutes=15)


LOGIN = Patience(free=4, forgets=timedelta(minutes=15))
"""From the fifth failure on 1 s, 2 s, 4 s ... 15 min: in the long run a hundred attempts a day from everywhere."""

ADDRESS = Patience(free=49, forgets=timedelta(seconds=20))
"""A whole contact centre may share one address, and mistypes at the start of a shift."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed attempts for one login, or from one address."""

    count: int
    last_at: datetime
    blocked_until: datetime | None = None

    def wait(self, at: datetime) -> timedelta:
        """How long the next attempt has to wait; nothing if it may be made. Waiting attempts are not counted."""
        return max(timedelta(), (self.blocked_until or at) - at)


def one_more(before: Failures, at: datetime, patience: Patience) -> Failures:
    """The failures with one more."""
    forgotten = max(0, int((at - before.last_at) / patience.forgets))
    count = max(0, before.count - forgotten) + 1
    if count <= patience.free:
        return Failures(count, at)
    doublings = min(count - patience.free - 1, 30)
    return Failures(count, at, at + min(patience.longest, patience.first * 2**doublings))


def one_less(before: Failures) -> Failures:
    """The failures without the last one, which turned out to be none."""
    return Failures(max(0, before.count - 1), before.last_at)
