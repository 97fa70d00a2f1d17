// Lists by keys: j and k move between [data-row], Enter opens, / goes to the search, ? shows the keys. All of it can be
// switched off, because a single letter may be somebody's voice command. Where a scan belongs, letters are the scanner's.
"use strict";

const rows = [...document.querySelectorAll("[data-row]")];
const help = document.querySelector("[data-keys-help]");
const opener = document.querySelector("[data-keys-open]");
const toggle = document.querySelector("[data-keys-toggle]");
const OFF = "desk-keys-off";

const kept = (value) => {
  try {
    if (value !== undefined) localStorage.setItem(OFF, value);
    return localStorage.getItem(OFF) === "yes";
  } catch {
    return false; // a browser that keeps nothing
  }
};

const moveBy = (step) => {
  const at = rows.findIndex((row) => row === document.activeElement || row.getAttribute("aria-current") === "true");
  const next = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
  if (next) next.focus();
};
const focusOn = (selector) => {
  const found = document.querySelector(selector);
  if (!found) return;
  const folded = found.closest("details");
  if (folded) folded.open = true;
  found.focus();
};
const keys = {
  j: () => moveBy(1),
  k: () => moveBy(-1),
  "/": () => focusOn("input[type=search], main form input:not([type=hidden])"),
  "?": () => help && help.showModal(),
};
if (document.body.classList.contains("split")) {
  keys.e = () => focusOn("#answer");
  keys.n = () => focusOn("#note");
  keys.c = () => focusOn("#call");
  keys.o = () => location.assign("/desk/sales/next");
}

if (!document.querySelector("[data-scan]")) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea, dialog[open]");
    const held = event.ctrlKey || event.metaKey || event.altKey;
    if (typing || held || kept() || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  if (opener && help) {
    opener.hidden = false;
    opener.addEventListener("click", () => help.showModal());
  }
}
if (toggle) {
  toggle.checked = !kept();
  toggle.addEventListener("change", () => kept(toggle.checked ? "no" : "yes"));
}
