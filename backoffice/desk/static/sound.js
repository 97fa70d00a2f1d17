// A scan sounds right or wrong: one high short tone, or two low ones. The words and colours say the same; the sound can be
// switched off for this browser. Made here, so nothing is fetched.
"use strict";

const QUIET = "desk-sound-off";
const soundSwitch = document.querySelector("[data-sound-switch]");
const signal = document.querySelector("[data-sound]");

const isQuiet = (value) => {
  try {
    if (value !== undefined) localStorage.setItem(QUIET, value);
    return localStorage.getItem(QUIET) === "yes";
  } catch {
    return false; // a browser that keeps nothing
  }
};

// [hertz, starts at, lasts], in seconds
const TONES = {
  right: [[1320, 0, 0.12]],
  wrong: [
    [220, 0, 0.18],
    [165, 0.24, 0.3],
  ],
};

const play = (name) => {
  const Context = window.AudioContext || window.webkitAudioContext;
  if (isQuiet() || !Context || !TONES[name]) return;
  const context = new Context();
  setTimeout(() => {
    if (context.state === "suspended") context.close(); // a tone after the next touch would belong to another scan
  }, 300);
  let last;
  for (const [pitch, starts, lasts] of TONES[name]) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    const at = context.currentTime + starts;
    tone.type = name === "wrong" ? "square" : "sine";
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.2, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + lasts);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + lasts);
    last = tone;
  }
  last.addEventListener("ended", () => context.close());
};

if (soundSwitch) {
  const box = soundSwitch.querySelector("input");
  soundSwitch.hidden = false;
  box.checked = !isQuiet();
  box.addEventListener("change", () => {
    isQuiet(box.checked ? "no" : "yes");
    if (box.checked) play("right");
    const scan = document.querySelector("[data-scan]");
    if (scan) scan.focus(); // the next scan belongs there
  });
}
if (signal) play(signal.dataset.sound);
