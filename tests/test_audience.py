from itertools import combinations, product

from kb.audience import ANYONE, Access, Audience, Reader

GROUPS = ("fraud", "partner-a")
SETS = [frozenset(chosen) for size in range(3) for chosen in combinations(GROUPS, size)]
READERS = [Reader(tier, groups) for tier, groups in product(Audience, SETS)]
ACCESSES = [Access(audience, groups) for audience, groups in product(Audience, SETS)]


def test_keys_open_exactly_what_may_be_read() -> None:
    for reader, access in product(READERS, ACCESSES):
        assert bool(set(reader.keys) & set(access.reader_keys)) == reader.may_read(access), (reader, access)


def test_who_may_read_more_may_read_all_that_others_may() -> None:
    for reader, access in product(READERS, ACCESSES):
        if reader.may_read(access):
            more = [each for each in READERS if each.tier.rank >= reader.tier.rank and each.groups >= reader.groups]
            assert all(each.may_read(access) for each in more)


def test_a_group_narrows_and_never_widens() -> None:
    for reader, access in product(READERS, ACCESSES):
        if reader.may_read(access):
            assert reader.may_read(Access(access.audience))


def test_who_says_nothing_sees_what_is_public_and_unrestricted() -> None:
    assert [access for access in ACCESSES if ANYONE.may_read(access)] == [Access(Audience.PUBLIC)]


def test_a_group_named_like_a_tier_opens_nothing_by_its_name() -> None:
    tricky = Reader(Audience.PUBLIC, frozenset({"internal", "public:internal"}))
    closed = [Access(Audience.INTERNAL), Access(Audience.INTERNAL, frozenset({"internal"}))]
    assert not any(set(tricky.keys) & set(each.reader_keys) for each in closed)


def test_the_narrowest_of_two_is_the_more_private() -> None:
    for one, other in product(Audience, Audience):
        assert one.narrowest(other) is other.narrowest(one)
        assert one.narrowest(other).rank == max(one.rank, other.rank)
