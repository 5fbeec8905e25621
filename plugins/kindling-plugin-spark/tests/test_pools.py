from __future__ import annotations

from kindling_plugin_spark.pools import Pools


def test_two_sessions_never_share_a_pool() -> None:
    pools = Pools()
    assert [pools.take() for _ in range(3)] == ["kindling-1", "kindling-2", "kindling-3"]


def test_a_pool_that_was_given_back_is_used_again() -> None:
    pools = Pools()
    taken = pools.take()
    pools.give_back(taken)
    pools.give_back(taken)
    assert [pools.take(), pools.take()] == [taken, "kindling-2"]


def test_a_pool_of_the_users_own_is_given_to_nobody_else() -> None:
    pools = Pools()
    pools.give_back("reports")
    assert pools.take() == "kindling-1"
