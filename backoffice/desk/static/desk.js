// Small comforts; every page works without this file.
"use strict";

// a scanner types into whatever has the focus: keep it where a scan belongs
const scan = document.querySelector("[data-scan]");
if (scan) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea, button, a, summary");
    if (!typing && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) scan.focus();
  });
}

// the sales list by keys: j and k move, n opens the next message, e goes to the answer, c to the next step's button
const rows = [...document.querySelectorAll("[data-row]")];
const answer = document.getElementById("answer");
const step = document.querySelector(".next-step button, .next-step .button");
const moveBy = (step) => {
  const at = rows.findIndex((row) => row === document.activeElement || row.getAttribute("aria-current") === "true");
  const next = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
  if (next) next.focus();
};
const keys = {
  j: () => moveBy(1),
  k: () => moveBy(-1),
  e: () => answer && answer.focus(),
  c: () => step && step.focus(),
  n: () => location.assign("/desk/sales/next"),
};
if (document.body.classList.contains("split")) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea");
    const held = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
    if (typing || held || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
}

// a form in flight is not sent again
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => document.querySelectorAll("form").forEach((form) => delete form.dataset.sent));

// printing needs a script: the button shows up only where there is one
document.querySelectorAll("[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => print());
});
