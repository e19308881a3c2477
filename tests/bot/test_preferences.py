"""What people, channels and servers have set is kept by scope."""

from bot.store import Store


async def test_a_value_is_kept_changed_and_taken_back(store: Store) -> None:
    assert await store.preference("user", 1, "preset") is None
    await store.set_preference("user", 1, "preset", "sprite")
    await store.set_preference("user", 1, "preset", ["a", 2, None])
    assert await store.preference("user", 1, "preset") == ["a", 2, None]
    await store.set_preference("user", 1, "preset", None)
    assert await store.preferences("user", 1) == {}


async def test_scopes_and_ids_do_not_mix(store: Store) -> None:
    await store.set_preference("user", 1, "preset", "sprite")
    await store.set_preference("guild", 1, "preset", "icon")
    await store.set_preference("guild", 1, "caps", 3)
    assert await store.preferences("user", 1) == {"preset": "sprite"}
    assert await store.preferences("guild", 1) == {"caps": 3, "preset": "icon"}
    assert await store.preferences("channel", 1) == {}
    assert await store.preferences("user", 2) == {}
