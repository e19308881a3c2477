"""The whole bot under blows: `pixel chaos` kills, freezes, fills and locks, and then looks.

`docs/chaos.md` says what is done and what is checked.

    plan.py       who asks for what, and which blow follows which, all from one seed
    stage.py      the processes: Discord, the bot that is started again, its engine
    bot.py        the bot's process, with an engine that is watched more closely
    disk.py       a file system that can be full
    records.py    the bot's database, seen from outside
    people.py     twenty people who ask, ask again, and cancel
    blows.py      what is done to the bot
    checks.py     what must be true in the end
    run.py        all of it in order, and the report
"""
