// Small comforts. Every page works without this file.
"use strict";

// The number of pieces in the cart: pages are the same for everybody, so it comes on its own.
function count() {
  const place = document.querySelector("[data-count]");
  if (!place) return;
  fetch(place.dataset.count, { headers: { Accept: "text/plain" } })
    .then((answer) => (answer.ok ? answer.text() : ""))
    .then((text) => {
      place.hidden = !/^\d+$/.test(text);
      place.textContent = place.hidden ? "" : text;
    })
    .catch(() => {}); // without the number the link still says "Cart"
}
count();

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

// htmx replaces parts of a page (lists, the day, the cart); here is what it does not know of them.
(function comfort() {
  const open = {};
  const folded = { "part-day": "#part-day details.why", list: "#filters" };

  function remember(event) {
    const target = event.detail.target;
    const fold = target && folded[target.id] && target.querySelector(folded[target.id]);
    if (fold) open[target.id] = fold.open;
  }
  // what somebody has unfolded stays so
  function restore() {
    for (const [id, selector] of Object.entries(folded)) {
      const fold = document.querySelector(selector);
      if (!fold || !(id in open)) continue;
      fold.open = fold.open || open[id];
      delete open[id];
    }
  }
  document.addEventListener("htmx:beforeSwap", remember);
  document.addEventListener("htmx:oobBeforeSwap", remember);

  document.addEventListener("htmx:afterSettle", (event) => {
    restore();
    const form = document.getElementById("choice");
    if (form && event.target === form) {
      for (const name of ["quantity", "postcode"]) form.elements[name].removeAttribute("aria-invalid");
    }
    const part = event.target;
    if (part.id !== "list" && part.id !== "cart-page") return;
    if (document.activeElement === document.body) part.focus({ preventScroll: true }); // what had the focus is gone
    const said = part.querySelector("[data-say]");
    document.getElementById("said").textContent = said ? said.innerText.replace(/\s+/g, " ").trim() : "";
    if (part.id === "cart-page") count();
  });

  // an empty wish is none: it need not stand in the address
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.target.id !== "narrowing") return;
    const data = event.detail.formData;
    for (const name of ["sort", "from", "to"]) if (data.get(name) === "") data.delete(name);
  });

  // where a part cannot be had, the whole page is asked for
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:swapError"]) {
    document.addEventListener(name, (event) => {
      const asked = event.detail.requestConfig;
      if (asked && asked.verb === "get") location.assign(event.detail.pathInfo.finalRequestPath || asked.path);
      else location.reload();
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
