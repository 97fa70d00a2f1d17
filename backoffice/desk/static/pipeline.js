// The board by drag and by Shift and arrows: each presses the button that the card has anyway.
"use strict";

const press = (card, selector) => {
  const button = card && card.querySelector(selector);
  if (button) button.form.requestSubmit(button);
};

document.querySelectorAll("[data-card][draggable]").forEach((card) => {
  card.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData("text/plain", card.id);
    event.dataTransfer.effectAllowed = "move";
    card.classList.add("dragged");
  });
  card.addEventListener("dragend", () => card.classList.remove("dragged"));
});

document.querySelectorAll("[data-stage]").forEach((stage) => {
  stage.addEventListener("dragover", (event) => {
    event.preventDefault();
    stage.classList.add("over");
  });
  stage.addEventListener("dragleave", (event) => {
    if (!stage.contains(event.relatedTarget)) stage.classList.remove("over");
  });
  stage.addEventListener("drop", (event) => {
    event.preventDefault();
    stage.classList.remove("over");
    const card = document.getElementById(event.dataTransfer.getData("text/plain"));
    if (card && card.matches("[data-card]")) press(card, `button[value="${stage.dataset.stage}"]`);
  });
});

const back = document.documentElement.dir === "rtl" ? "ArrowRight" : "ArrowLeft";
const forward = back === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
document.addEventListener("keydown", (event) => {
  const card = event.target.closest("[data-card]");
  if (!card || !event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
  const selector = { [forward]: "[data-forward]", [back]: "[data-back]" }[event.key];
  if (!selector) return;
  event.preventDefault();
  press(card, selector);
});

// after a move the page is at the card: so are the keys, once the browser has scrolled there, which takes the focus away
addEventListener("load", () =>
  requestAnimationFrame(() => {
    const moved = location.hash.startsWith("#lead-") && document.getElementById(location.hash.slice(1));
    if (moved) moved.querySelector("a").focus();
  }),
);
