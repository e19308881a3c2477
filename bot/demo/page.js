// simcord draws a message anew when it changes, as a picture that grows does again and again, and
// then loses the end of the channel. So this keeps to the end, until the visitor scrolls up.
const timeline = document.getElementById("channel-timeline");
const messages = document.getElementById("channel-message-list");
let following = true;

function follow() {
  if (following) timeline.scrollTop = timeline.scrollHeight;
}

// A frame has no size until its bytes are there; with its room kept nothing jumps.
function keepRoom() {
  for (const image of messages.querySelectorAll("img.attachment-image[width]:not([src])")) {
    const [width, height] = [image.getAttribute("width"), image.getAttribute("height")];
    Object.assign(image.parentElement.style, { width: `${width}px`, aspectRatio: `${width} / ${height}` });
  }
}

new MutationObserver(() => { keepRoom(); follow(); }).observe(messages, { childList: true, subtree: true });
const sizes = new ResizeObserver(follow);
sizes.observe(messages);
sizes.observe(timeline);

timeline.addEventListener("wheel", ({ deltaY }) => { if (deltaY < 0) following = false; }, { passive: true });
timeline.addEventListener("pointerdown", ({ target }) => {
  // The scroll bar, and not something in a message.
  if (target === timeline) following = false;
});
timeline.addEventListener("scroll", () => {
  if (timeline.scrollHeight - timeline.scrollTop - timeline.clientHeight < 2) following = true;
}, { passive: true });
