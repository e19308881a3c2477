// Everything works without this file; with it, pictures grow while one looks at them, and the
// command is copied by a button.

const still = matchMedia("(prefers-reduced-motion: reduce)");
// A pointer that only passes by wants nothing.
const LINGER_MS = 180;

// A picture's file is changed when the other one is there, so that nothing flickers.
async function swap(image, address, wanted) {
  const loading = new Image();
  loading.src = address;
  try {
    await loading.decode();
  } catch {
    return false;
  }
  if (wanted()) image.src = address;
  return wanted();
}

for (const frame of document.querySelectorAll("[data-time-lapse]")) {
  const image = frame.querySelector("img");
  const resting = image.getAttribute("src");
  let looking = false;
  let timer = 0;
  const begin = () => {
    if (looking || still.matches) return;
    looking = true;
    timer = setTimeout(() => swap(image, frame.dataset.timeLapse, () => looking), LINGER_MS);
  };
  const end = () => {
    if (frame.matches(":hover, :focus-visible")) return;
    looking = false;
    clearTimeout(timer);
    if (image.getAttribute("src") !== resting) image.src = resting;
  };
  frame.addEventListener("pointerenter", ({ pointerType }) => { if (pointerType === "mouse") begin(); });
  frame.addEventListener("focus", () => { if (frame.matches(":focus-visible")) begin(); });
  frame.addEventListener("pointerleave", end);
  frame.addEventListener("blur", end);
}

const play = document.getElementById("play");
if (play) {
  const image = document.getElementById("picture");
  const [resting, words] = [image.getAttribute("src"), play.textContent];
  let playing = false;
  play.setAttribute("role", "button");
  play.addEventListener("click", async (event) => {
    event.preventDefault();
    image.closest("details")?.setAttribute("open", "");
    playing = !playing;
    play.textContent = playing ? "Stop" : words;
    if (!playing) {
      image.src = resting;
    } else if (!(await swap(image, play.getAttribute("href"), () => playing)) && playing) {
      [playing, play.textContent] = [false, "There is no time-lapse"];
    }
  });
  play.addEventListener("keydown", (event) => {
    // What is called a button is pressed with the space bar too.
    if (event.key !== " ") return;
    event.preventDefault();
    play.click();
  });
}

const copy = document.getElementById("copy");
if (copy) {
  const [command, said] = [document.getElementById("command"), document.getElementById("said")];
  const words = copy.textContent;
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    getSelection().selectAllChildren(command);
    let copied = true;
    try {
      await navigator.clipboard.writeText(command.textContent);
    } catch {
      // Over plain HTTP there is no such clipboard, but the older way.
      copied = document.execCommand("copy");
    }
    said.textContent = copied ? "The command is copied." : "The command is selected; copy it.";
    copy.textContent = copied ? "Copied" : "Press Ctrl+C";
    setTimeout(() => { copy.textContent = words; said.textContent = ""; }, 2000);
  });
}
