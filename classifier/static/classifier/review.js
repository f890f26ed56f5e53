// The review desk. The server sends each question as HTML; here are the keys, the search and the choice.
"use strict";

(() => {
  const desk = document.getElementById("review");
  if (!desk) return;
  const place = document.getElementById("review-case");
  const line = document.getElementById("review-told");
  const keys = document.getElementById("review-keys");
  const badge = document.querySelector(`li > a[href="${desk.dataset.url}"] > span:last-child`); // in the menu
  const atOnce = document.getElementById("review-at-once");
  const SHOWN = 9; // options of the search: more are no choice
  const LISTED = 200; // reasons shown before anything is typed, to look through
  const RENEW = 120_000; // milliseconds; a reservation lasts five times as long
  const IDLE = 600_000; // a page that nobody touches gives its Case back
  const AT_ONCE = "review-number-sends-at-once";

  let chosen = []; // codes, the main reason first
  let verdict = ""; // "none" or "unclear" in place of reasons
  let done = []; // questions answered or skipped here, to be undone from the last
  let isBusy = false;
  let isFurther = false; // what the search finds is added beside the main reason
  let isGuided = true;
  let touchedAt = Date.now();
  let reasons = []; // {code, label, guideline, words}
  const byCode = new Map();

  const question = () => place.querySelector("[data-review]");
  const search = () => place.querySelector("#review-search");
  const list = () => place.querySelector("#review-found");
  const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

  // --- Asking the server ---------------------------------------------------------------------

  function token() {
    const cookie = document.cookie.split("; ").find((one) => one.startsWith("csrftoken="));
    return cookie ? cookie.slice("csrftoken=".length) : desk.querySelector("[name=csrfmiddlewaretoken]").value;
  }

  async function post(act, fields) {
    const answer = await fetch(`${desk.dataset.url}${act}/`, {
      method: "POST",
      headers: { "X-CSRFToken": token(), Accept: "application/json" },
      body: new URLSearchParams(fields),
      credentials: "same-origin",
    });
    if (!(answer.headers.get("Content-Type") || "").includes("json")) throw new Error(String(answer.status));
    return { status: answer.status, ...(await answer.json()) };
  }

  async function ask(act, fields) {
    if (isBusy) return null;
    isBusy = true;
    question()?.setAttribute("aria-busy", "true");
    try {
      const body = await post(act, fields);
      if (body.status === 401) {
        tell("You were signed out. Your choice is kept on this page: sign in again in ", "bad", "another tab");
        return null;
      }
      if (body.html !== undefined) show(body);
      if (body.told !== undefined) tell(body.told, body.tone);
      return body;
    } catch {
      tell("The server could not be reached, so nothing was sent. Your choice is kept: try again.", "bad");
      return null;
    } finally {
      isBusy = false;
      question()?.removeAttribute("aria-busy");
    }
  }

  function tell(words, tone, link) {
    line.textContent = words;
    line.dataset.tone = tone || "good";
    line.hidden = !words;
    if (!link) return;
    const way = document.createElement("a");
    Object.assign(way, { href: desk.dataset.url, target: "_blank", textContent: link });
    line.append(way, ", then send it once more.");
  }

  function show(body) {
    const note = place.querySelector("#review-note")?.value || "";
    place.innerHTML = body.html;
    if (badge) badge.textContent = body.waiting;
    begin();
    if (body.keep) {
      chosen = kept.chosen;
      verdict = kept.verdict;
      if (note) place.querySelector("#review-note").value = note;
      paint();
    }
    window.scrollTo(0, 0);
    place.querySelector("h2")?.focus({ preventScroll: true });
  }

  let kept = { chosen: [], verdict: "" };

  function begin() {
    const data = question()?.dataset;
    chosen = data?.chosen ? data.chosen.split(" ") : [];
    verdict = { out_of_scope: "none", unclear: "unclear" }[data?.verdict] || "";
    isFurther = false;
    guideFirst();
    paint();
  }

  function guideFirst() {
    const first = chosen[0] || place.querySelector(".cr-choice")?.dataset.code;
    if (first) guide(first);
  }

  async function answer() {
    if (!question()) return;
    if (!verdict && !chosen.length) {
      tell("Choose a reason first: a number, / to search, n for none of them, u for unclear.", "warn");
      return;
    }
    kept = { chosen: [...chosen], verdict };
    const fields = [
      ["review", question().dataset.review],
      ["transcript", question().dataset.transcript],
      ["verdict", verdict || "reasons"],
      ["note", place.querySelector("#review-note").value],
      ...(verdict ? [] : chosen.map((code) => ["reason", code])),
    ];
    const body = await ask("answer", fields);
    if (body?.done) done.push(body.done);
  }

  async function skip() {
    if (!question()) return;
    const body = await ask("skip", [["review", question().dataset.review]]);
    if (body?.done) done.push(body.done);
  }

  async function undo() {
    const fields = [["current", question()?.dataset.review || ""]];
    const last = done[done.length - 1];
    if (last) fields.push(["review", last]);
    const body = await ask("undo", fields);
    if (body && body.status < 500) done.pop();
  }

  // --- The choice ----------------------------------------------------------------------------

  function choose(code, further) {
    verdict = "";
    if (further && chosen.length) {
      if (chosen[0] === code) return;
      chosen = chosen.includes(code) ? chosen.filter((one) => one !== code) : [...chosen, code];
    } else {
      chosen = [code, ...chosen.slice(1).filter((one) => one !== code)];
    }
    guide(code);
    paint();
  }

  function judge(word) {
    verdict = verdict === word ? "" : word;
    chosen = [];
    paint();
  }

  function drop(code) {
    chosen = chosen.filter((one) => one !== code);
    paint();
  }

  function clear() {
    chosen = [];
    verdict = "";
    paint();
  }

  function labelOf(code) {
    const button = place.querySelector(`.cr-choice[data-code="${CSS.escape(code)}"]`);
    return button?.dataset.label || byCode.get(code)?.label || code;
  }

  function paint() {
    if (!question()) return;
    for (const button of place.querySelectorAll(".cr-choice")) {
      const rank = chosen.indexOf(button.dataset.code);
      button.setAttribute("aria-pressed", String(rank >= 0));
      button.dataset.rank = rank > 0 ? "further" : "main";
    }
    for (const button of place.querySelectorAll("button[data-verdict]")) {
      button.setAttribute("aria-pressed", String(button.dataset.verdict === verdict));
    }
    const shown = place.querySelector("#review-chosen");
    shown.replaceChildren(...chosen.map(chip));
    if (!chosen.length) shown.textContent = { none: "None of our reasons", unclear: "Unclear" }[verdict] || "Nothing chosen yet";
    place.querySelector("[data-act=answer]").disabled = !verdict && !chosen.length;
  }

  function chip(code, rank) {
    const button = document.createElement("button");
    const label = labelOf(code);
    Object.assign(button, { type: "button", className: "cr-picked", textContent: rank ? `also ${label}` : label });
    button.dataset.drop = code;
    button.dataset.rank = rank ? "further" : "main";
    button.setAttribute("aria-label", `${rank ? "Further" : "Main"} reason: ${label}. Take it away`);
    return button;
  }

  function guide(code) {
    const box = place.querySelector("#review-guideline");
    const known = byCode.get(code);
    if (!box || !known) return;
    const title = document.createElement("h3");
    const words = document.createElement("p");
    title.textContent = known.label;
    words.textContent = known.guideline || "This reason has no guideline yet.";
    box.replaceChildren(title, words);
    box.hidden = !isGuided;
  }

  // --- The search ----------------------------------------------------------------------------

  async function load() {
    try {
      const body = await post("reasons", []);
      reasons = (body.reasons || []).map((one) => {
        const path = folded(one.label);
        const own = path.split(" > ").pop();
        return { ...one, path, own, words: path.split(/[^\p{L}\p{N}]+/u), ownWords: own.split(/[^\p{L}\p{N}]+/u) };
      });
      for (const one of reasons) byCode.set(one.code, one);
      paint();
      guideFirst();
    } catch {
      tell("The list of reasons could not be loaded. Reload the page to search.", "warn");
    }
  }

  function rankOf(one, wanted, parts) {
    if (one.own.startsWith(wanted)) return 0;
    if (parts.every((part) => one.ownWords.some((word) => word.startsWith(part)))) return 1;
    if (parts.every((part) => one.words.some((word) => word.startsWith(part)))) return 2;
    return parts.every((part) => one.path.includes(part)) ? 3 : 4;
  }

  function found(text) {
    const wanted = folded(text.trim());
    const parts = wanted.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
    if (!parts.length) return text ? [] : reasons.slice(0, LISTED);
    return reasons
      .map((one) => [rankOf(one, wanted, parts), one])
      .filter(([rank]) => rank < 4)
      .sort(([a, one], [b, other]) => a - b || one.path.length - other.path.length)
      .slice(0, SHOWN)
      .map(([, one]) => one);
  }

  function offer() {
    const text = search().value;
    const options = found(text).map((one, number) => {
      const option = document.createElement("li");
      Object.assign(option, { id: `review-option-${number}`, textContent: one.label });
      option.setAttribute("role", "option");
      option.dataset.option = one.code;
      return option;
    });
    if (!options.length && text.trim()) {
      const none = document.createElement("li");
      Object.assign(none, { className: "cr-none", textContent: "No reason has these words. n says: none of ours." });
      options.push(none);
    }
    unfold(options);
    point(text ? 0 : -1); // Enter chooses nothing that nobody typed or pointed at
  }

  function unfold(options) {
    list().replaceChildren(...options);
    list().hidden = !options.length;
    search().setAttribute("aria-expanded", String(options.length > 0));
  }

  function point(number) {
    const options = [...list().querySelectorAll("[data-option]")];
    options.forEach((option, place_) => option.setAttribute("aria-selected", String(place_ === number)));
    const active = options[number];
    if (!active) return search().removeAttribute("aria-activedescendant");
    search().setAttribute("aria-activedescendant", active.id);
    active.scrollIntoView({ block: "nearest" });
    guide(active.dataset.option);
  }

  function leaveSearch() {
    search().value = "";
    unfold([]);
    search().removeAttribute("aria-activedescendant");
    search().blur();
    isFurther = false;
  }

  function searchKey(event) {
    const options = [...list().querySelectorAll("[data-option]")];
    const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps && options.length) {
      event.preventDefault();
      point(at < 0 && event.key === "ArrowUp" ? options.length - 1 : (at + steps[event.key] + options.length) % options.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (options[at]) {
        choose(options[at].dataset.option, isFurther || event.shiftKey);
        leaveSearch();
      }
    } else if (event.key === "Escape") {
      event.preventDefault();
      leaveSearch();
    }
  }

  function openSearch(further) {
    if (!question()) return;
    isFurther = further;
    search().focus();
    offer();
  }

  // --- Keys and clicks -----------------------------------------------------------------------

  const PRESSED = {
    n: () => judge("none"),
    u: () => judge("unclear"),
    s: skip,
    z: undo,
    "/": () => openSearch(false),
    "+": () => openSearch(true),
    "?": () => keys.showModal(),
    g: toggleGuideline,
    w: openNote,
    Escape: clear,
    Enter: answer,
  };

  function toggleGuideline() {
    const box = place.querySelector("#review-guideline");
    if (!box) return;
    isGuided = box.hidden;
    if (!box.childElementCount) guideFirst();
    box.hidden = !isGuided || !box.childElementCount;
    if (!box.hidden) box.scrollIntoView({ block: "nearest" });
  }

  function openNote() {
    const note = place.querySelector("#review-note");
    if (!note) return;
    note.closest("details").open = true;
    note.focus();
  }

  function noteKey(event) {
    if (event.key === "Escape") event.target.blur();
    if (event.key === "Enter" && event.ctrlKey) {
      event.preventDefault();
      answer();
    }
  }

  function digitKey(event) {
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
    const button = digit && place.querySelectorAll(".cr-choice")[digit[1] - 1];
    if (!button) return Boolean(digit);
    choose(button.dataset.code, event.shiftKey);
    if (atOnce.checked && !event.shiftKey) answer();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    touchedAt = Date.now();
    if (keys.open || event.repeat || event.isComposing) return;
    // A dialog just closed keeps the focus until the next frame: its keys are the page's already.
    const target = keys.contains(event.target) ? document.body : event.target;
    if (target.id === "review-search") return searchKey(event);
    if (target.id === "review-note") return noteKey(event);
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select")) return;
    if (["Enter", " "].includes(event.key) && target.closest("button, a, summary")) return;
    const act = PRESSED[event.key] || PRESSED[event.key.toLowerCase()];
    if (act) {
      event.preventDefault();
      act();
    } else if (digitKey(event)) {
      event.preventDefault();
    }
  });

  const ACTS = { answer, skip, undo, keys: () => keys.showModal() };

  desk.addEventListener("click", (event) => {
    const button = event.target.closest("button, [data-option]");
    if (!button) return;
    const data = button.dataset;
    if (data.option) {
      choose(data.option, isFurther);
      leaveSearch();
    } else if (data.act) ACTS[data.act]();
    else if (data.verdict) judge(data.verdict);
    else if (data.drop) drop(data.drop);
    else if (data.further) choose(data.further, true);
    else if (data.code) {
      choose(data.code, event.shiftKey);
      place.querySelector("[data-act=answer]").focus({ preventScroll: true }); // so that Enter sends
    }
  });
  desk.addEventListener("submit", (event) => event.preventDefault());
  desk.addEventListener("input", (event) => event.target.id === "review-search" && offer());
  desk.addEventListener("focusin", (event) => {
    const code = event.target.dataset?.code;
    if (code) guide(code);
  });
  for (const name of ["pointerdown", "scroll", "wheel"]) {
    document.addEventListener(name, () => (touchedAt = Date.now()), { passive: true, capture: true });
  }
  atOnce.checked = localStorage.getItem(AT_ONCE) === "yes";
  atOnce.addEventListener("change", () => localStorage.setItem(AT_ONCE, atOnce.checked ? "yes" : "no"));

  // --- Staying at it -------------------------------------------------------------------------

  async function renew() {
    if (isBusy || Date.now() - touchedAt > IDLE) return;
    if (!question()) return void ask("next", []);
    const body = await post("hold", [["review", question().dataset.review]]).catch(() => null);
    if (body?.held === false) {
      tell("Somebody else has this Case by now: you were away for more than ten minutes. s gets the next one.", "warn");
    }
  }

  setInterval(renew, RENEW);
  begin();
  load();
})();
