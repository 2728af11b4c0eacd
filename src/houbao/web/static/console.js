// Small conveniences; every page works without them. No request leaves this server, nothing is kept but the time zone.
"use strict";

// The reader's time zone, for those whose account names none: the very first page is asked for again in it.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes("houbao_zone=")) {
  document.cookie = `houbao_zone=${zone}; path=/; max-age=31536000; samesite=lax`;
  const kept = document.cookie.includes("houbao_zone=");
  const again = performance.getEntriesByType("navigation")[0]?.type !== "reload";
  if (kept && again && document.documentElement.dataset.zone !== zone && !document.querySelector(".error")) {
    location.replace(location.href);
  }
}

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// A preview is of what was filled in then: with the first change it goes, and its button with it.
function forgetPreview({ target }) {
  const form = target.closest("form[hx-target]");
  if (!form) return;
  form.dispatchEvent(new Event("htmx:abort"));
  const shown = document.querySelector(form.getAttribute("hx-target"));
  const changed = shown?.querySelector("[data-changed]");
  if (!changed?.hidden) return;
  shown.replaceChildren(changed);
  changed.hidden = false;
}
document.addEventListener("input", forgetPreview); // not "change": that comes late, when a field is left

// What keeps a form from being sent is brought into sight.
document.addEventListener("invalid", ({ target }) => {
  if (target.form?.querySelector(":is(input, select, textarea):invalid") === target) {
    target.scrollIntoView({ block: "center" });
  }
}, true);

// What is being read hears when something happened; the reader chooses when to see it.
const news = document.getElementById("news");
if (news && "EventSource" in window) {
  const source = new EventSource(news.dataset.live);
  source.addEventListener("news", () => {
    source.close();
    news.hidden = false;
  });
}
