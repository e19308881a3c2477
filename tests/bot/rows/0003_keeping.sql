-- What the third version adds: pictures without their frames, and without any file.

INSERT INTO jobs (id, user_id, guild_id, channel_id, message_id, message_at, report, asked, resolved,
    provenance, seed, init_image, state, attempt, lane, round, asked_at, started_at, finished_at,
    drawing_seconds, picture, native, score, note, kept, tidied)
VALUES
    (40, 11, 21, 31, 91, 1400, 'posted', '{"prompts": "without frames"}',
        '{"prompts": "without frames"}', NULL, 1, NULL, 'done', 1, 1, 0, 1400, 1401, 1410, 9,
        'pictures/0/40/final.png', 'pictures/0/40/native.png', 0.3, 'It is smaller than asked for.', 'picture',
        1),
    (41, 11, 21, 31, 92, 1400, 'posted',
        '{"prompts": "removed", "init_image": "3f5a0000000000000000000000000000000000000000000000000000000000dd"}',
        '{"prompts": "removed"}', NULL, 1,
        '3f5a0000000000000000000000000000000000000000000000000000000000dd', 'done', 1, 1, 0, 1400,
        1401, 1411, 9, 'pictures/0/41/final.png', 'pictures/0/41/native.png', 0.3, NULL, 'nothing', 0);
