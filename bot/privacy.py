"""What is kept of people, in plain words; `/privacy` and docs/privacy.md say the same."""

PRIVACY = """\
**What I keep of you**
- Your Discord id, and of each picture that you ask for: the prompt and the settings; the picture \
and the steps on the way to it; the pictures that you attached; when you asked; the server, the \
channel and the message that it is in.
- Which pictures are your favourites, and what you have chosen in `/settings`.
- Nothing else. I read no messages and give nothing away: pictures are drawn on the machine that I \
run on.

**For how long**
- Until you delete it: everything at once with `/forget`. By itself nothing is deleted but old \
pictures, if whoever runs this bot wants that.

**Who can see it**
- A picture and its prompt: whoever can see the channel where it was drawn.
- A channel's pictures are on a public web page only if those who manage its server want that. \
Your name is not there. `/settings private:True` keeps yours off that page and off starboards.
- Whoever runs this bot can see all that I keep.

**How to have it deleted**
- `/forget` deletes all of it, and my messages with your pictures in every server. It tells you \
how many messages I could not reach.
- What stays: pictures that others made from yours; what others have saved; that you are shut out, \
if you are. Logs with ids, and backups, stay as long as whoever runs this bot keeps them.
"""
