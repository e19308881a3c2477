"""What may be set, what the nearest of it is, and what a server decides."""

from pathlib import Path

import discord
import pytest

from bot.errors import Refusal
from bot.jobs import State
from bot.preferences import PREFERENCE, PREFERENCES, plain, preferences_table, read_preference
from bot.rules import Rules
from bot.store import Limits, QueueFull, Store, TooSoon
from engine.errors import SettingsError
from engine.settings import make_settings
from tests.bot.helpers import ALICE, BOB, CHANNEL, GUILD, NO_CAPS, Clock, add, claim, new_job
from tests.bot.scripted import ScriptedEngine
from tests.simulated import Server, simulated


def rules(*, age_restricted: bool = False, **layers: dict) -> Rules:
    order = [(scope, layers.get(scope, {})) for scope in ("user", "channel", "guild")]
    return Rules(tuple(order), (CHANNEL,), age_restricted)


def hidden(prompt: str, *, age_restricted: bool = False, **guild: object) -> bool:
    settings = make_settings({"prompts": prompt})
    return rules(guild=guild, age_restricted=age_restricted).hides(settings)


async def refusal(server: Server, **options: object) -> str:
    options.setdefault("prompt", "a red apple")
    result = await server.alice.slash(server.channel, "pixel", **options)
    assert result.response is not None
    assert result.response.ephemeral
    assert not result.response.content.startswith("Your picture")
    return result.response.content


@pytest.mark.parametrize(
    ("scope", "name", "value", "kept"),
    [
        ("user", "preset", "Sprite", "sprite"),
        ("user", "palette", "pico8", "pico8"),
        ("user", "private", True, True),
        ("channel", "gallery", "true", True),
        ("channel", "allowed", False, False),
        ("guild", "channels", [3, 1, 3], [1, 3]),
        ("guild", "roles", (5,), [5]),
        ("guild", "waiting_per_user", "3", 3),
        ("guild", "cooldown", 0, 0),
        ("guild", "spoiler", "age", "age"),
        ("guild", "words", "Rude, very  rude\nrüde,, ", ["Rude", "very rude"]),
        ("guild", "starboard", 7, 7),
    ],
)
def test_what_may_be_set_is_kept_in_one_form(scope, name, value, kept) -> None:
    assert read_preference(scope, name, value) == kept


@pytest.mark.parametrize(
    ("scope", "name", "value", "sentence"),
    [
        ("user", "colour", "red", "There is no preference “colour”; there are preset, palette"),
        ("user", "cooldown", 3, "cooldown cannot be set for a person; it is a preference of a ser"),
        (
            "guild",
            "gallery",
            True,
            "gallery cannot be set for a server; it is a preference of a ch",
        ),
        ("user", "preset", "nope", "preset cannot be “nope”; allowed are sprite"),
        ("user", "palette", "nope", "palette cannot have “nope”"),
        ("user", "private", "perhaps", "private cannot be “perhaps”; allowed are true or false"),
        (
            "guild",
            "cooldown",
            "soon",
            "cooldown cannot be “soon”; allowed are whole numbers from 0",
        ),
        ("guild", "cooldown", 86_401, "from 0 to 86400"),
        ("guild", "cooldown", True, "from 0 to 86400"),
        ("guild", "stars", 0, "from 1 to 1000"),
        ("guild", "spoiler", "some", "allowed are never, words, always, age"),
        ("guild", "words", "…", "words cannot be “…”"),
        ("guild", "words", ",".join(f"word{number}" for number in range(201)), "201 words"),
        ("guild", "channels", list(range(1, 27)), "up to 25 channels"),
        ("guild", "starboard", "art", "the id of a channel"),
        ("guild", "running_per_user", 9, "whoever runs this bot allows at most 2"),
    ],
)
def test_what_may_not_be_set_is_refused_with_a_sentence(scope, name, value, sentence) -> None:
    with pytest.raises(SettingsError) as caught:
        read_preference(scope, name, value, caps={"running_per_user": 2})
    assert sentence in str(caught.value)


def test_every_preference_has_a_default_that_may_be_set() -> None:
    for preference in PREFERENCES:
        if preference.default is not None:
            kept = read_preference(preference.scopes[0], preference.name, preference.default)
            assert kept == preference.default


def test_the_docs_have_the_table() -> None:
    assert preferences_table() in Path("docs/preferences.md").read_text()


def test_the_nearest_wins() -> None:
    three = rules(user={"preset": "icon"}, channel={"quality": "draft"}, guild={"quality": "best"})
    assert three.nearest("preset") == ("icon", "user")
    assert three.nearest("quality") == ("draft", "channel")
    assert three.nearest("cooldown") == (PREFERENCE["cooldown"].default, None)


def test_of_two_that_contradict_each_other_the_nearer_one_counts() -> None:
    usual = rules(user={"drawer": "line_sketch"}, guild={"palette": "nes"}).usual({})
    assert usual is not None
    assert (usual.drawer, usual.palette) == ("line_sketch", None)


@pytest.mark.parametrize(
    ("prompt", "word"),
    [
        ("a RUDE cat", "rude"),
        ("a rüde cat", "rude"),
        ("a ru\u200bde cat", "rude"),
        ("a very   rude cat", "Very Rude"),
        ("rude", "rude"),
        ("a cat:2 | rude:-1", "rude"),
        ("die STRASSE", "straße"),
        ("黒猫が歩く", "猫"),
    ],
)
def test_listed_words_are_found_whatever_their_case_and_accents(prompt: str, word: str) -> None:
    assert hidden(prompt, words=[word])


@pytest.mark.parametrize(
    ("prompt", "word"),
    [("a crude cat", "rude"), ("rudeness", "rude"), ("very, rude", "very rude"), ("かき", "がき")],
)
def test_only_whole_words_are_found(prompt: str, word: str) -> None:
    assert not hidden(prompt, words=[word])


def test_words_are_looked_for_in_everything_that_is_drawn() -> None:
    settings = make_settings({"prompts": "a cat", "mask": "m", "spot_prompts": "something rude"})
    assert rules(guild={"words": ["rude"]}).hides(settings)


@pytest.mark.parametrize(
    ("policy", "listed", "open_channel", "adults"),
    [
        ("never", False, False, False),
        ("words", True, False, False),
        ("always", True, True, True),
        ("age", True, True, False),
    ],
)
def test_the_policies_of_spoilers(
    policy: str, listed: bool, open_channel: bool, adults: bool
) -> None:
    server = {"spoiler": policy, "words": ["rude"]}
    assert hidden("a rude cat", **server) is listed
    assert hidden("a cat", **server) is open_channel
    assert hidden("a cat", **server, age_restricted=True) is adults


def test_without_case_and_accents() -> None:
    assert plain("  ÉCOLE\u200b  Ï ") == "ecole i"
    assert plain("が") == plain("か\u3099") != plain("か")


async def test_defaults_flow_into_what_is_asked_and_what_is_typed_wins(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        store, guild = server.bot.store, server.guild.id
        await store.set_preference("guild", guild, "quality", "best")
        await store.set_preference("guild", guild, "palette", "nes")
        await store.set_preference("channel", server.channel.id, "quality", "draft")
        await store.set_preference("user", server.alice.id, "preset", "sprite")
        asked = (await server.job(await server.ask())).asked
        assert (asked.quality, asked.palette, asked.preset) == ("draft", "nes", "sprite")
        assert asked.transparent, "the preset is written out"
        asked = (await server.job(await server.ask("a fox --quality better --palette c64"))).asked
        assert (asked.quality, asked.palette) == ("better", "c64")
        asked = (await server.job(await server.ask(preset="scene"))).asked
        assert (asked.preset, asked.transparent, asked.quality) == ("scene", False, "draft")
        asked = (await server.job(await server.ask(drawer="clipdraw"))).asked
        assert (asked.drawer, asked.palette) == ("clipdraw", None)


async def test_a_prompt_is_never_left_to_a_preference(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        await server.bot.store.set_preference("user", server.alice.id, "preset", "sprite")
        assert "prompt is missing" in await refusal(server, prompt="--tile")


async def test_a_reroll_keeps_what_its_parent_was_asked_with(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask("a fox", quality="best")
        await engine.has(job_id)
        engine.finish(job_id)
        message = await server.finished(job_id)
        await server.bot.store.set_preference("user", server.bob.id, "quality", "draft")
        await server.bob.click(message, label="Reroll")
        reroll = await server.job(job_id + 1)
        assert reroll.asked.quality == "best"


async def test_a_preference_that_an_update_took_away_is_as_if_not_set(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        await server.bot.store.set_preference("user", server.alice.id, "palette", "gone")
        assert (await server.job(await server.ask())).asked.palette is None


async def test_pictures_are_drawn_in_the_channels_that_the_server_chose(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        store = server.bot.store
        other = server.guild.create_text_channel("other")
        await store.set_preference("guild", server.guild.id, "channels", [other.id])
        assert f"they are in <#{other.id}>" in await refusal(server)
        await store.set_preference("channel", server.channel.id, "allowed", True)
        await server.ask()
        await store.set_preference("guild", server.guild.id, "channels", None)
        await store.set_preference("channel", server.channel.id, "allowed", False)
        assert "No pictures are drawn in this channel" in await refusal(server)


async def test_only_the_roles_that_the_server_chose_may_ask(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        artists = server.guild.create_role("artists")
        painter = server.guild.add_member(server.env.create_user("painter"), roles=[artists])
        await server.bot.store.set_preference("guild", server.guild.id, "roles", [artists.id])
        assert f"<@&{artists.id}>" in await refusal(server)
        result = await painter.slash(server.channel, "pixel", prompt="a red apple")
        assert result.response is not None
        assert result.response.content.startswith("Your picture is #")


async def test_buttons_keep_to_the_rules_too(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask("a rude cat")
        await engine.has(job_id)
        engine.finish(job_id)
        message = await server.finished(job_id)
        for name, value in (("words", ["rude"]), ("word_rule", "refuse")):
            await server.bot.store.set_preference("guild", server.guild.id, name, value)
        result = await server.bob.click(message, label="Reroll")
        assert result.response is not None
        assert "does not want pictures of “rude”" in result.response.content
        assert await server.bot.store.get(job_id + 1) is None


async def test_a_listed_word_is_refused_where_the_server_wants_that(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        for name, value in (("words", ["rude"]), ("word_rule", "refuse")):
            await server.bot.store.set_preference("guild", server.guild.id, name, value)
        assert "does not want pictures of “rude”" in await refusal(server, prompt="a Rüde cat")
        await server.ask("a crude cat")


async def test_a_hidden_picture_is_a_spoiler_with_its_words_behind_bars(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    async with simulated(tmp_path, engine) as server:
        await server.bot.store.set_preference("guild", server.guild.id, "words", ["rude"])
        job_id = await server.ask("a rude cat")
        await engine.has(job_id)
        engine.progress(job_id, 20)
        await server.shown(job_id, lambda message: message.attachments)
        assert server.message(job_id).attachments[0].is_spoiler()
        queue = await server.bob.slash(server.channel, "queue")
        assert queue.response is not None
        assert "||a rude cat||" in (queue.response.embeds[0].description or "")
        engine.finish(job_id)
        message = await server.finished(job_id)
        assert message.attachments[0].is_spoiler()
        assert message.attachments[0].filename == f"SPOILER_pixel-{job_id}.png"
        assert server.text(job_id).startswith("**||a rude cat||**")
        again = await server.alice.slash(server.channel, "show", id=job_id)
        assert again.response is not None
        assert again.response.attachments[0].is_spoiler()
        history = await server.alice.slash(server.channel, "history")
        assert history.response is not None
        assert "||a rude cat||" in (history.response.embeds[0].description or "")
        openly = await server.job(await server.ask("a cat"))
        assert not openly.spoiler


async def test_what_is_made_of_a_hidden_picture_stays_hidden(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    async with simulated(tmp_path, engine) as server:
        await server.bot.store.set_preference("guild", server.guild.id, "spoiler", "always")
        job_id = await server.ask()
        await engine.has(job_id)
        engine.finish(job_id)
        message = await server.finished(job_id)
        await server.bot.store.set_preference("guild", server.guild.id, "spoiler", "never")
        await server.bob.click(message, label="Reroll")
        assert (await server.job(job_id + 1)).spoiler


async def test_an_age_restricted_channel_needs_no_spoiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        await server.bot.store.set_preference("guild", server.guild.id, "spoiler", "age")
        assert (await server.job(await server.ask())).spoiler
        monkeypatch.setattr(discord.TextChannel, "is_nsfw", lambda _: True)
        assert not (await server.job(await server.ask())).spoiler


async def test_a_server_lets_fewer_wait(store: Store) -> None:
    limits = Limits(waiting=1)
    await store.add_job(new_job(ALICE, guild_id=99), waiting_per_user=9, limits=limits)
    await store.add_job(new_job(ALICE), waiting_per_user=9, limits=limits)
    with pytest.raises(QueueFull, match="waiting in this server already"):
        await store.add_job(new_job(ALICE), waiting_per_user=9, limits=limits)
    await store.add_job(new_job(BOB), waiting_per_user=9, limits=limits)


@pytest.mark.parametrize(
    ("first", "own", "yields"), [([], {5}, False), ([5, 6], {6}, False), ([5], {6}, True)]
)
def test_who_has_none_of_the_first_roles_yields(first, own, yields) -> None:
    layers = (("guild", {"first_roles": first} if first else {}),)
    assert Rules(layers, (CHANNEL,), False, frozenset(own)).limits.yields is yields


async def test_pictures_of_the_first_roles_come_first(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    async with simulated(tmp_path, engine, easels=1) as server:
        moderators = server.guild.roles["moderators"]
        await server.bot.store.set_preference(
            "guild", server.guild.id, "first_roles", [moderators.id]
        )
        drawn = await server.ask("drawn at once")
        await server.bob.slash(server.channel, "pixel", prompt="asked before")
        await server.moderator.slash(server.channel, "pixel", prompt="comes first")
        assert [job.prompt for job in await server.bot.store.waiting(9)] == [
            "comes first",
            "asked before",
        ]
        await engine.has(drawn)


async def test_a_server_lets_nobody_ask_too_soon(store: Store, clock: Clock) -> None:
    limits = Limits(cooldown=90)
    await store.add_job(new_job(ALICE), waiting_per_user=9, limits=limits)
    await store.add_job(new_job(BOB), waiting_per_user=9, limits=limits)
    clock.now += 50
    with pytest.raises(TooSoon, match=r"2 min between two pictures .* again in 40 s"):
        await store.add_job(new_job(ALICE), waiting_per_user=9, limits=limits)
    await store.add_job(new_job(ALICE, guild_id=99), waiting_per_user=9, limits=limits)
    clock.now += 40
    await store.add_job(new_job(ALICE), waiting_per_user=9, limits=limits)


async def test_a_server_lets_fewer_run(store: Store) -> None:
    await store.set_preference("guild", GUILD, "running_per_user", 1)
    await store.set_preference("guild", GUILD, "running_per_guild", 2)
    first = await add(store, ALICE)
    await add(store, ALICE)
    second = await add(store, BOB)
    third = await add(store, 3)
    elsewhere = await add(store, ALICE, guild_id=99)
    assert [(await claim(store)).id for _ in range(3)] == [first.id, second.id, elsewhere.id]
    assert await store.claim(NO_CAPS) is None
    await store.finish(second, picture="a", native="b", drawing_seconds=1)
    running = await store.running()
    done = next(job for job in running if job.id == second.id)
    await store.finish(done, picture="a", native="b", drawing_seconds=1)
    assert (await claim(store)).id == third.id
    assert (await store.get(second.id)).state is State.DONE


async def test_the_settings_of_a_thread_are_those_of_its_channel_unless_it_has_its_own(
    tmp_path: Path,
) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        store = server.bot.store
        channel = server.bot.get_channel(server.channel.id)
        assert isinstance(channel, discord.TextChannel)
        await channel.create_thread(name="a thread", type=discord.ChannelType.public_thread)
        (thread,) = server.channel.threads
        await store.set_preference("channel", server.channel.id, "quality", "draft")
        await store.set_preference("guild", server.guild.id, "channels", [server.channel.id])
        await server.alice.slash(thread, "pixel", prompt="a cat")
        assert (await server.job(1)).asked.quality == "draft"
        await store.set_preference("channel", thread.id, "quality", "best")
        await server.alice.slash(thread, "pixel", prompt="a cat")
        assert (await server.job(2)).asked.quality == "best"


def test_a_refusal_names_the_word_as_the_server_wrote_it() -> None:
    strict = rules(guild={"words": ["Rüde"], "word_rule": "refuse"})
    with pytest.raises(Refusal, match="Rüde"):
        strict.check(make_settings({"prompts": "a rude cat"}))
