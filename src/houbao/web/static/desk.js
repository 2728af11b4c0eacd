// Keys of the agents' pages; everything is there for mouse and touch too, and without this file.
// An element says by data-key which key presses it. Switched off on the page itself (#use-keys), remembered here alone.
"use strict";

const QUEUES = { v: "verify", d: "judge", a: "appeals", s: "notices" };
const box = document.getElementById("use-keys");
const kept = () => localStorage.getItem("houbao_keys") !== "off";
let going = false;

if (box) {
  box.checked = kept();
  box.addEventListener("change", () => localStorage.setItem("houbao_keys", box.checked ? "on" : "off"));
}

document.addEventListener("keydown", (event) => {
  const field = event.target.closest("input:not([type=radio],[type=checkbox]), textarea, select");
  if (!kept()) return;
  if (field) return leave(event, field);
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (going && QUEUES[event.key]) return void (location.href = `/queue/${QUEUES[event.key]}`);
  going = event.key === "g";
  if (going) return;
  if (event.key === "?") return void toggle(document.getElementById("keys"));
  if ("jk".includes(event.key) && step(event.key === "j" ? 1 : -1)) return void event.preventDefault();
  const wanted = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key);
  if (!wanted) return;
  event.preventDefault();
  if (wanted.tagName === "SUMMARY") open(wanted);
  else if (wanted.tagName === "SELECT") wanted.focus();
  else wanted.click();
  if (["radio", "submit"].includes(wanted.type)) wanted.focus(); // from here a Tab leads to what follows
});

// In a field letters are letters: Escape leaves it, Ctrl+Enter shows what would happen; nothing is sent by a key.
function leave(event, field) {
  if (event.key === "Escape") return field.blur();
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !field.form?.hasAttribute("hx-post")) return;
  event.preventDefault();
  field.form.requestSubmit();
}

// Only the reasons that go with the chosen finding can be chosen.
function offerReasons() {
  const finding = document.querySelector("[name=finding]:checked");
  const reason = document.getElementById("rule-reason");
  if (!finding || !reason) return;
  for (const group of reason.querySelectorAll("optgroup")) group.disabled = group.dataset.finding !== finding.value;
  if (reason.selectedOptions[0]?.parentElement.disabled) reason.value = "";
}
document.addEventListener("change", (event) => event.target.name === "finding" && offerReasons());
offerReasons();

// From row to row of a queue: the link of the next or previous one has the focus. False where there are no rows.
function step(by) {
  const links = [...document.querySelectorAll("[data-row] a")];
  if (!links.length) return false;
  const at = links.indexOf(document.activeElement);
  links[at < 0 ? 0 : Math.min(Math.max(at + by, 0), links.length - 1)].focus();
  return true;
}

function toggle(details) {
  if (!details) return;
  details.open = !details.open;
  if (details.open) details.querySelector("summary").focus();
}

function open(summary) {
  summary.parentElement.open = true;
  summary.parentElement.querySelector("input:not([type=hidden]), textarea, select")?.focus();
}
