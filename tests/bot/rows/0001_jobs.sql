-- Every state and every report of the first version, with all columns used by some row.

INSERT INTO jobs (id, user_id, guild_id, channel_id, message_id, message_at, report, asked,
    resolved, provenance, seed, init_image, parent_id, relation, state, attempt, lane, round,
    suspect, snapshot, died_at, lone_deaths, asked_at, started_at, finished_at, drawing_seconds,
    error, picture, native)
VALUES
    (1, 11, 21, 31, 41, 1000.5, 'posted', '{"prompts": "a lighthouse at dusk", "quality": "draft"}',
        '{"prompts": "a lighthouse at dusk", "quality": "draft", "seed": 7, "iterations": 30}',
        '{"drawing_version": 1, "device": "cpu", "dtype": "float32", "weights": {"a": "b"}}',
        7, NULL, NULL, NULL, 'done', 1, 1, 0, 0, 30, NULL, 0, 1000, 1001, 1009, 8.0, NULL,
        'pictures/0/1/final.png', 'pictures/0/1/native.png'),
    (2, 11, 21, 31, 42, 1020, 'silenced', '{"prompts": "a lighthouse at dusk", "seed": 9}', NULL,
        NULL, 9, NULL, 1, 'reroll', 'failed', 2, 0, 0, 1, 4, 4, 2, 1010, 1011, 1020, NULL,
        'Drawing this picture ended the engine twice.', NULL, NULL),
    (3, 12, 21, 31, 43, 1021, 'open', '{"prompts": "Über den Wolken: ein Schloß 🏰"}', NULL, NULL,
        5, NULL, NULL, NULL, 'cancelled', 0, 1, 0, 0, 0, NULL, 0, 1021, NULL, 1022, NULL, NULL,
        NULL, NULL),
    (4, 12, 21, 32, NULL, NULL, 'open',
        '{"prompts": "a cat", "init_image": "3f5a0000000000000000000000000000000000000000000000000000000000aa"}',
        '{"prompts": "a cat", "init_image": "3f5a0000000000000000000000000000000000000000000000000000000000aa"}',
        '{"drawing_version": 1, "device": "cpu", "dtype": "float32", "weights": {}}', 6,
        '3f5a0000000000000000000000000000000000000000000000000000000000aa', 1, 'again', 'running',
        1, 1, 0, 0, 12, NULL, 0, 1030, 1031, NULL, NULL, NULL, NULL, NULL),
    (5, 13, 22, 33, NULL, NULL, 'open', '{"prompts": "a red apple"}', NULL, NULL, 1, NULL, NULL,
        NULL, 'queued', 0, 1, 1, 0, 0, NULL, 0, 1040, NULL, NULL, NULL, NULL, NULL, NULL),
    (6, 13, 22, 33, 46, 1041, 'posted', '{"prompts": "a green apple"}', NULL, NULL, 1, NULL, NULL,
        NULL, 'queued', 1, 0, 2, 1, 5, 5, 1, 1041, 1042, NULL, NULL, NULL, NULL, NULL),
    (9, 13, 22, 33, NULL, NULL, 'open', '{"prompts": "is deleted"}', NULL, NULL, 1, NULL, NULL,
        NULL, 'queued', 0, 1, 3, 0, 0, NULL, 0, 1050, NULL, NULL, NULL, NULL, NULL, NULL);

-- Its number must not be used again.
DELETE FROM jobs WHERE id = 9;
