// Another country or a kept address: fetch the page as it would be, and swap in what depends on it. Buttons do the same.
"use strict";

(function refresh() {
  const buttonOf = (control) => document.getElementById(control.dataset.refresh || "");
  let asked = 0;

  function ask(button) {
    const mine = (asked += 1);
    const form = button.form;
    const data = new URLSearchParams(new FormData(form));
    data.set(button.name, button.value);
    // form.action would be the button of that name
    fetch(form.getAttribute("action"), { method: "POST", body: data, headers: { Accept: "text/html" } })
      .then((answer) => {
        if (!answer.ok) throw new Error(String(answer.status));
        return answer.text();
      })
      .then((html) => {
        if (mine !== asked) return; // a newer question is under way
        const fresh = new DOMParser().parseFromString(html, "text/html");
        for (const part of fresh.querySelectorAll("[data-refreshed]")) {
          const old = document.getElementById(part.id);
          if (old) old.replaceChildren(...part.childNodes);
        }
      })
      .catch(() => {
        if (mine === asked) form.requestSubmit(button);
      });
  }

  for (const control of document.querySelectorAll("[data-refresh]")) {
    const button = buttonOf(control);
    if (button) button.hidden = true;
  }
  document.addEventListener("change", (event) => {
    const button = buttonOf(event.target);
    if (button) ask(button);
  });
})();
