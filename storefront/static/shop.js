// Small comforts. Every page works without this file.
"use strict";

// The number of pieces in the cart: pages are the same for everybody, so it comes on its own.
(function count() {
  const place = document.querySelector("[data-count]");
  if (!place) return;
  fetch(place.dataset.count, { headers: { Accept: "text/plain" } })
    .then((answer) => (answer.ok ? answer.text() : ""))
    .then((text) => {
      if (!/^\d+$/.test(text)) return;
      place.textContent = text;
      place.hidden = false;
    })
    .catch(() => {}); // without the number the link still says "Cart"
})();

// Pages do not follow what a browser prefers; to whoever has not chosen yet, its language is offered.
(function offerLanguage() {
  if (/(?:^|; )language=/.test(document.cookie)) return;
  const base = (tag) => tag.toLowerCase().split("-")[0];
  const here = base(document.documentElement.lang);
  for (const wanted of navigator.languages || []) {
    if (base(wanted) === here) return;
    const offer = [...document.querySelectorAll("[data-language-offer]")].find((one) => base(one.dataset.languageOffer) === base(wanted));
    if (!offer) continue;
    offer.hidden = false;
    return;
  }
})();

// The first campaign link that somebody follows is remembered in their browser until it closes; nobody else's page changes.
(function remember() {
  const asked = new URLSearchParams(location.search);
  if (!(asked.get("utm_source") || asked.get("utm_campaign")) || /(?:^|; )source=/.test(document.cookie)) return;
  const kept = new URLSearchParams({ landing: location.pathname.slice(0, 200) });
  for (const name of ["utm_source", "utm_medium", "utm_campaign"]) kept.set(name, (asked.get(name) || "").slice(0, 200));
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = "source=" + encodeURIComponent(kept.toString()) + "; Path=/; SameSite=Lax" + secure;
})();

// Another variant, quantity or postcode: fetch the parts that depend on it, and swap them in.
(function day() {
  const form = document.getElementById("choice");
  if (!form) return;
  const button = form.querySelector("[data-show-day]");
  let asked = 0;
  let timer = 0;

  function query() {
    const data = new FormData(form);
    data.delete("slug");
    return new URLSearchParams(data).toString();
  }

  function swap(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const why = document.querySelector("#part-day details.why");
    const open = why ? why.open : false;
    let swapped = 0;
    for (const part of fresh.querySelectorAll("[data-part]")) {
      const old = document.getElementById(part.id);
      if (!old) continue;
      if (old.innerHTML !== part.innerHTML) old.replaceChildren(...part.childNodes);
      swapped += 1;
    }
    const newWhy = document.querySelector("#part-day details.why");
    if (newWhy) newWhy.open = open;
    for (const name of ["quantity", "postcode"]) form.elements[name].removeAttribute("aria-invalid");
    return swapped > 0;
  }

  function ask() {
    const mine = (asked += 1);
    const now = query();
    fetch(form.dataset.day + "?" + now, { headers: { Accept: "text/html" } })
      .then((answer) => answer.text())
      .then((html) => {
        if (mine !== asked) return; // a newer question is under way
        if (!swap(html)) throw new Error("no parts");
        history.replaceState(null, "", location.pathname + "?" + now);
      })
      .catch(() => {
        if (mine === asked) location.assign(location.pathname + "?" + now);
      });
  }

  function soon(wait) {
    clearTimeout(timer);
    timer = setTimeout(ask, wait);
  }

  form.addEventListener("change", () => soon(0));
  form.addEventListener("input", (event) => {
    if (event.target.name === "quantity" || event.target.name === "postcode") soon(500);
  });
  if (button) {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      soon(0);
    });
  }
})();

// A second click on a button that sends is not a second order.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || !button.hasAttribute("data-once")) return;
  if (button.getAttribute("aria-busy") === "true") {
    event.preventDefault();
    return;
  }
  button.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
});

// After paying: look again while the provider is still working, a few times only.
(function lookAgain() {
  const link = document.querySelector("[data-look-again]");
  if (!link) return;
  const key = "looked:" + location.pathname;
  const times = Number(sessionStorage.getItem(key) || "0");
  if (times >= 5) return;
  sessionStorage.setItem(key, String(times + 1));
  setTimeout(() => location.reload(), 1500 + 1000 * times);
})();

// The error summary takes the focus, also where the browser does not honour `autofocus` on it.
(function focusProblems() {
  const summary = document.querySelector(".error-summary");
  if (summary) summary.focus();
})();
